/** How Python's operators take JSON values: what is true, equal, less, a number. */
import { isList, isObject, type JsonValue, keysOf, WholeFloat } from '../wire/value.ts';

/** What Python raises while it works on a value: the message that carries the value cannot be converted. */
export class ValueError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ValueError';
  }
}

/** A dictionary's own entry; `undefined` where there is none (never something inherited, like `constructor`). */
export function getKey(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value !== undefined && isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** A computed float as a value. */
export function floatValue(value: number): JsonValue {
  return Number.isInteger(value) ? new WholeFloat(value) : value;
}

/** A computed integer as a value. */
export function integerValue(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

export type Numeric =
  | { readonly kind: 'int'; readonly value: number | bigint }
  | { readonly kind: 'float'; readonly value: number };

/** The number in a value, where Python has one: booleans are 0 and 1. */
export function asNumber(value: JsonValue): Numeric | undefined {
  switch (typeof value) {
    case 'boolean':
      return { kind: 'int', value: value ? 1 : 0 };
    case 'number':
      return Number.isInteger(value) ? { kind: 'int', value } : { kind: 'float', value };
    case 'bigint':
      return { kind: 'int', value };
    default:
      return value instanceof WholeFloat ? { kind: 'float', value: value.value } : undefined;
  }
}

/** What `if value:` makes of it. */
export function isTrue(value: JsonValue | undefined): value is JsonValue {
  if (value === undefined || value === null || value === false || value === '' || value === 0 || value === 0n)
    return false;
  if (value instanceof WholeFloat) return value.value !== 0;
  if (isList(value)) return value.length > 0;
  return !isObject(value) || keysOf(value).length > 0;
}

/** Python's name for the type, for messages. */
export function typeName(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  const number = asNumber(value);
  if (number !== undefined) return number.kind;
  return isList(value) ? 'list' : 'dict';
}

/** Python's `==`. */
export function equals(left: JsonValue, right: JsonValue): boolean {
  if (left === right) return true;
  const [a, b] = [asNumber(left), asNumber(right)];
  // biome-ignore lint/suspicious/noDoubleEquals: compares a bigint with a number by value
  if (a !== undefined && b !== undefined) return a.value == b.value;
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((item, index) => equals(item, right[index] ?? null));
  }
  if (isObject(left) && isObject(right)) {
    const keys = keysOf(left);
    return (
      keys.length === keysOf(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && equals(left[key] ?? null, right[key] ?? null))
    );
  }
  return false;
}

/** Strings by code point, as Python orders them; JavaScript's `<` goes by UTF-16 unit. */
export function compareStrings(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (a === b) continue;
    const [wideA, wideB] = [a >= 0xd800 && a <= 0xdfff, b >= 0xd800 && b <= 0xdfff];
    return wideA === wideB ? a - b : wideA ? 1 : -1;
  }
  return left.length - right.length;
}

/** Negative, zero or positive for Python's order; throws where Python has none. NaN compares as neither. */
export function compare(left: JsonValue, right: JsonValue): number {
  const [a, b] = [asNumber(left), asNumber(right)];
  if (a !== undefined && b !== undefined)
    return a.value < b.value ? -1 : a.value > b.value ? 1 : a.value === b.value ? 0 : Number.NaN;
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right);
  if (isList(left) && isList(right)) {
    for (let index = 0; index < Math.min(left.length, right.length); index++) {
      const [x, y] = [left[index] ?? null, right[index] ?? null];
      if (!equals(x, y)) return compare(x, y);
    }
    return left.length - right.length;
  }
  throw new ValueError(`'<' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`);
}
