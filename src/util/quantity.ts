/** Volumes as people read them: sizes and times in a fitting unit, everything else as it is. */
import { grouped } from './text.ts';

export interface Quantity {
  readonly number: string;
  readonly unit: string;
}

interface Step {
  readonly unit: string;
  /** How many of the base unit it holds. */
  readonly size: bigint;
}

const BYTE_STEPS: readonly Step[] = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'].map((unit, power) => ({
  unit,
  size: 1024n ** BigInt(power),
}));

const TIME_STEPS: readonly Step[] = [
  { unit: 'ns', size: 1n },
  { unit: 'µs', size: 1_000n },
  { unit: 'ms', size: 1_000_000n },
  { unit: 's', size: 1_000_000_000n },
  { unit: 'min', size: 60_000_000_000n },
  { unit: 'h', size: 3_600_000_000_000n },
  { unit: 'd', size: 86_400_000_000_000n },
];

/** Ceilometer's KB, MB and GB are of 1024, as Nova, Cinder and the kernel count them. */
const SCALES: Readonly<Record<string, readonly Step[]>> = {
  B: BYTE_STEPS,
  KB: BYTE_STEPS.slice(1),
  MB: BYTE_STEPS.slice(2),
  GB: BYTE_STEPS.slice(3),
  ns: TIME_STEPS,
};

/** Tenths of `value / size`, rounded half up. */
function tenths(value: bigint, size: bigint): bigint {
  return (value * 20n + size) / (size * 2n);
}

function plain(value: number): string {
  if (Number.isInteger(value)) return grouped(BigInt(value).toString());
  const size = Math.abs(value);
  const digits = size >= 1000 ? value.toFixed(1) : size >= 0.001 ? value.toFixed(3) : value.toPrecision(2);
  return digits.includes('e') ? digits : grouped(digits.replace(/\.?0+$/, ''));
}

function scaled(value: bigint, steps: readonly Step[], base: Step): Quantity {
  const size = value * base.size;
  let index = steps.findLastIndex((step) => size >= step.size);
  const [step, next] = [steps[index], steps[index + 1]];
  // 1,023.99 MiB would be rounded to 1,024.0 MiB: that is 1.0 GiB.
  if (step !== undefined && next !== undefined && tenths(size, step.size) * step.size >= next.size * 10n) index += 1;
  const fitting = steps[index] ?? base;
  if (fitting === base) return { number: grouped(value.toString()), unit: base.unit };
  const digits = tenths(size, fitting.size).toString();
  return { number: grouped(`${digits.slice(0, -1)}.${digits.slice(-1)}`), unit: fitting.unit };
}

export function quantity(volume: number | bigint, unit: string): Quantity {
  if (unit === '%') return { number: grouped(Number(volume).toFixed(1)), unit };
  const steps = SCALES[unit];
  const base = steps?.[0];
  if (steps === undefined || base === undefined) {
    return { number: typeof volume === 'bigint' ? grouped(volume.toString()) : plain(volume), unit };
  }
  if (volume < 0) {
    const { number, unit: fitting } = quantity(-volume, unit);
    return { number: `-${number}`, unit: fitting };
  }
  const next = steps[1];
  const small = next === undefined || Number(volume) * Number(base.size) < Number(next.size);
  if (typeof volume === 'number' && !Number.isInteger(volume) && small)
    return { number: plain(volume), unit: base.unit };
  return scaled(typeof volume === 'bigint' ? volume : BigInt(Math.round(volume)), steps, base);
}

/** Numbers of one column, filled up so that their decimal points stand below each other when right-aligned. */
export function alignPoints(numbers: readonly string[]): string[] {
  const fractions = numbers.map((number) => (number.includes('.') ? number.length - number.lastIndexOf('.') : 0));
  const longest = Math.max(0, ...fractions);
  return numbers.map((number, index) => number + ' '.repeat(longest - (fractions[index] ?? 0)));
}
