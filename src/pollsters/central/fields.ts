/** What answers of services say, taken as it comes: services differ in what they leave out and in how they say it. */
import type { MetadataValue } from '../../plugin.ts';
import { isList, isObject, type JsonObject, type JsonValue, WholeFloat } from '../../wire/value.ts';

/** The value of the first key that has one; undefined where none has. */
export function textIn(object: JsonObject, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = object[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

export function objectIn(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key];
  return value !== undefined && isObject(value) ? value : undefined;
}

export function listIn(object: JsonObject, key: string): readonly JsonValue[] {
  const value = object[key];
  return value !== undefined && isList(value) ? value : [];
}

const NUMBER = /^\s*[+-]?\d+(\.\d+)?\s*$/;
const INTEGER = /^\s*[+-]?\d+\s*$/;

/** A number, also one that is written as text; undefined for `infinite`, `unknown`, null and the like. */
export function numberOf(value: MetadataValue | undefined): number | bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (value instanceof WholeFloat) return value.value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !NUMBER.test(value)) return undefined;
  const number = Number(value);
  return INTEGER.test(value) && !Number.isSafeInteger(number) ? BigInt(value.trim()) : number;
}

/** As `numberOf`; a float that is whole stays one, so that it is sent as one. */
export function volumeOf(value: MetadataValue | undefined): number | bigint | WholeFloat | undefined {
  return value instanceof WholeFloat ? value : numberOf(value);
}
