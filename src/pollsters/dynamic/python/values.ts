/** Python's values as JSON has them. Tuples, iterators and views are lists; keys of dicts are texts. */
import {
  isList,
  isObject,
  type JsonObject,
  type JsonValue,
  keysOf,
  rememberKeyOrder,
  WholeFloat,
} from '../../../wire/value.ts';
import { EvaluationError } from './errors.ts';

/** A lambda or a function. Never leaves an expression. */
export class Callable {
  readonly call: (args: readonly Value[]) => Value;
  /** Of a function that Python brings; `isinstance` knows types by it. */
  readonly name: string | undefined;

  constructor(call: (args: readonly Value[]) => Value, name?: string) {
    this.call = call;
    this.name = name;
  }
}

export type Value = JsonValue | Callable;

export function isNumber(value: Value): value is number | bigint | boolean | WholeFloat {
  return (
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    typeof value === 'boolean' ||
    (typeof value === 'object' && value instanceof WholeFloat)
  );
}

export function isFloat(value: Value): value is number | WholeFloat {
  return value instanceof WholeFloat || (typeof value === 'number' && !Number.isInteger(value));
}

/** A float, whole or not. */
export function float(value: number): number | WholeFloat {
  return Number.isInteger(value) ? new WholeFloat(value) : value;
}

/** As Python's limit for printing them: about 4300 digits. */
const MOST_BITS = 14_284n;
const LARGEST = 1n << MOST_BITS;

export function integer(value: bigint): number | bigint {
  if (value >= LARGEST || value <= -LARGEST) throw new EvaluationError('limit', 'the integer is too large');
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function toNumber(value: number | bigint | boolean | WholeFloat): number {
  return value instanceof WholeFloat ? value.value : Number(value);
}

/** An integer or a float, without loss. */
export function exactOf(value: number | bigint | boolean | WholeFloat): number | bigint {
  return isFloat(value) ? toNumber(value) : toInteger(value);
}

/** Of what {@link isFloat} does not hold for. */
export function toInteger(value: number | bigint | boolean): bigint {
  return BigInt(value);
}

export function isDict(value: Value): value is JsonObject {
  return !(value instanceof Callable) && isObject(value);
}

export function isSequence(value: Value): value is readonly JsonValue[] {
  return !(value instanceof Callable) && isList(value);
}

export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (value instanceof Callable) return 'function';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (isList(value)) return 'list';
  if (isNumber(value)) return isFloat(value) ? 'float' : 'int';
  return 'dict';
}

export function isTrue(value: Value): boolean {
  if (value === null) return false;
  if (value instanceof Callable) return true;
  if (typeof value === 'string') return value !== '';
  if (isNumber(value)) return toNumber(value) !== 0;
  return isList(value) ? value.length > 0 : Object.keys(value).length > 0;
}

/** `==`: 1, 1.0 and True are equal. */
export function isEqual(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) {
    const [one, other] = [exactOf(a), exactOf(b)];
    return one >= other && one <= other;
  }
  if (isSequence(a) && isSequence(b)) {
    return a.length === b.length && a.every((item, at) => isEqual(item, b[at] ?? null));
  }
  if (isDict(a) && isDict(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key] ?? null, b[key] ?? null))
    );
  }
  return a === b;
}

/** The member of a dict. Undefined where it has none: what a JavaScript object inherits does not count. */
export function member(dict: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(dict, key) ? dict[key] : undefined;
}

/** An object whose keys may be anything. */
export function dictOf(entries: Iterable<readonly [string, JsonValue]>): JsonObject {
  const map = new Map(entries);
  const dict = Object.fromEntries(map);
  const keys = [...map.keys()];
  if (keys.some((key) => INDEX.test(key))) rememberKeyOrder(dict, keys);
  return dict;
}

/** The members of a dict in its own order. */
export function membersOf(dict: JsonObject): (readonly [string, JsonValue])[] {
  return keysOf(dict).map((key) => [key, dict[key] ?? null]);
}

/** What JavaScript moves to the front. */
const INDEX = /^(?:0|[1-9][0-9]*)$/;

/** `object[key]` with a text. Throws as Python does. */
export function lookUp(value: Value, key: string): JsonValue {
  if (!isDict(value)) throw new EvaluationError('TypeError', `${typeName(value)} has no key ${JSON.stringify(key)}`);
  const found = member(value, key);
  if (found === undefined) throw new EvaluationError('KeyError', `there is no key ${JSON.stringify(key)}`);
  return found;
}

/** Keeps functions out of lists, dicts and results. */
export function data(value: Value): JsonValue {
  if (value instanceof Callable) throw new EvaluationError('TypeError', 'a function is no value');
  return value;
}

/** What a `for` goes through. */
export function iterate(value: Value): readonly JsonValue[] {
  if (isSequence(value)) return value;
  if (typeof value === 'string') return [...value];
  if (isDict(value)) return keysOf(value);
  throw new EvaluationError('TypeError', `${typeName(value)} is not iterable`);
}

const LONGEST_TEXT = 4 * 1024 * 1024;
const LONGEST_LIST = 1_000_000;

export function checkSize(length: number, kind: 'text' | 'list'): void {
  if (length > (kind === 'text' ? LONGEST_TEXT : LONGEST_LIST)) {
    throw new EvaluationError('limit', `the ${kind} is too long`);
  }
}
