/** From measurements to readings. */
import type { Meter, Reading } from '../../plugin.ts';
import { type JsonValue, WholeFloat } from '../../wire/value.ts';
import type { Definition } from './definition.ts';
import type { Measurement } from './measure.ts';

/** Undefined for a value that is no number: nobody can sum it up. */
export function readingOf({ meter }: Definition, measurement: Measurement, resourceId: string): Reading | undefined {
  const number = numberOf(measurement.value);
  if (number === undefined) return undefined;
  const named: Meter = { ...meter, name: measurement.name };
  return {
    meter: number.float ? { ...named, float: true } : named,
    volume: number.volume,
    resourceId,
    projectId: measurement.projectId,
    userId: measurement.userId,
    metadata: measurement.metadata,
  };
}

const INTEGER = /^[+-]?\d+$/;
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function numberOf(value: JsonValue): { readonly volume: number | bigint; readonly float: boolean } | undefined {
  if (typeof value === 'boolean') return { volume: value ? 1 : 0, float: false };
  if (typeof value === 'bigint') return { volume: value, float: false };
  if (typeof value === 'string') {
    const text = value.trim();
    if (INTEGER.test(text) && text.length <= 4300) return { volume: BigInt(text.replace('+', '')), float: false };
    return FLOAT.test(text) ? numberOf(new WholeFloat(Number(text))) : undefined;
  }
  const float = value instanceof WholeFloat;
  const volume = float ? value.value : value;
  return typeof volume === 'number' && Number.isFinite(volume) ? { volume, float } : undefined;
}
