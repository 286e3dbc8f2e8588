/** Volumes and rates with units that people read. */
import { type Quantity, quantity } from '../../../util/quantity.ts';

export interface Kind {
  readonly type: 'gauge' | 'delta' | 'cumulative';
  readonly unit: string;
}

/** What a chart of such a meter shows: of cumulative ones the growth per second. */
export function isRate({ type }: Kind): boolean {
  return type === 'cumulative';
}

/** Time that passes while time passes is a share of it. */
const SHARE = 'ns';

/** A value as the chart has it, in the unit that fits. */
export function charted(value: number, kind: Kind): Quantity {
  if (!isRate(kind)) return quantity(value, kind.unit);
  if (kind.unit === SHARE) return quantity(value / 1e7, '%');
  const { number, unit } = quantity(value, kind.unit);
  return { number, unit: `${unit}/s` };
}

/** What the share of a time is of; nothing for other units. */
export function rateNote(kind: Kind): string {
  return isRate(kind) && kind.unit === SHARE ? 'of one second per second' : '';
}

export function text({ number, unit }: Quantity): string {
  return unit === '' ? number : `${number} ${unit}`;
}

/** For a tick of an axis: short, with the unit only where it says how large the number is. */
export function tick(value: number, kind: Kind): string {
  const { number, unit } = charted(value, kind);
  const short = number.includes('.') ? number.replace(/\.?0+$/, '') : number;
  const isScaled = unit === '%' || SCALED.has(kind.unit);
  if (!isScaled) return compact.format(value);
  return text({ number: short, unit });
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 4 });
const BINARY = new Set(['B', 'KB', 'MB', 'GB']);
/** Units that `quantity` fits to the number. */
const SCALED = new Set([...BINARY, SHARE]);

/** Steps between ticks that look round: powers of two for sizes, whose units are 1024 of the one below. */
export function tickSteps(kind: Kind): number[] {
  if (BINARY.has(kind.unit)) return Array.from({ length: 90 }, (_, power) => 2 ** (power - 30));
  return Array.from({ length: 30 }, (_, power) => 10 ** (power - 9)).flatMap((ten) => [ten, 2 * ten, 5 * ten]);
}
