/** What answers of services say, taken as it comes: services differ in what they leave out and in how they say it. */
import type { MetadataValue } from '../../plugin.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../../wire/value.ts';

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
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !NUMBER.test(value)) return undefined;
  const number = Number(value);
  return INTEGER.test(value) && !Number.isSafeInteger(number) ? BigInt(value.trim()) : number;
}

/** What is absent is null, as in upstream's samples. */
export function plain(value: JsonValue | undefined): MetadataValue {
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(plain);
  if (!isObject(value)) return value.value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
