/** Python's functions that expressions may call. */
import { parseFloatText, toInteger as parseInteger } from '../../../python/number.ts';
import { reprOf, textOf } from '../../../python/text.ts';
import { pythonStr } from '../../../wire/python-repr.ts';
import { type JsonValue, WholeFloat } from '../../../wire/value.ts';
import { binary, order } from './arithmetic.ts';
import { EvaluationError } from './errors.ts';
import { roundFloat, roundInteger } from './rounding.ts';
import { lengthOf, withoutBlanks } from './text.ts';
import {
  Callable,
  checkSize,
  data,
  dictOf,
  float,
  integer,
  isDict,
  isFloat,
  isNumber,
  isSequence,
  isTrue,
  iterate,
  membersOf,
  toInteger,
  toNumber,
  typeName,
  type Value,
} from './values.ts';

type Named = ReadonlyMap<string, Value>;
type Function = (args: readonly Value[], named: Named) => Value;

/** The fewest and the most arguments, and what is done with them. */
type Row = readonly [fewest: number, most: number, run: Function];

const functions: Readonly<Record<string, Row>> = {
  abs: [1, 1, ([value = null]) => absolute(value)],
  all: [1, 1, ([value = null]) => iterate(value).every(isTrue)],
  any: [1, 1, ([value = null]) => iterate(value).some(isTrue)],
  bool: [0, 1, ([value = null]) => isTrue(value)],
  dict: [0, 1, ([value = {}]) => dictionary(value)],
  enumerate: [1, 2, ([value = null, start = 0]) => iterate(value).map((item, at) => [at + Number(count(start)), item])],
  filter: [2, 2, ([test = null, value = null]) => iterate(value).filter(testOf(test))],
  float: [0, 1, ([value = 0]) => toFloat(value)],
  int: [0, 2, ([value = 0, base]) => toInt(value, base)],
  isinstance: [2, 2, ([value = null, types = null]) => isInstance(value, types)],
  len: [1, 1, ([value = null]) => (typeof value === 'string' ? lengthOf(value) : iterate(value).length)],
  list: [0, 1, ([value = []]) => [...iterate(value)]],
  map: [2, 2, ([change = null, value = null]) => iterate(value).map((item) => data(call(change, item)))],
  max: [1, 100, (args, named) => extreme(args, named, 1)],
  min: [1, 100, (args, named) => extreme(args, named, -1)],
  next: [1, 2, ([value = null, ...rest]) => first(value, rest)],
  range: [1, 3, (args) => range(args.map((one) => Number(count(one))))],
  repr: [1, 1, ([value = null]) => text(reprOf(data(value)))],
  reversed: [1, 1, ([value = null]) => [...iterate(value)].reverse()],
  round: [1, 2, ([value = null, digits = null]) => round(value, digits)],
  sorted: [1, 1, ([value = null], named) => sorted(value, named)],
  str: [0, 1, ([value = '']) => text(stringOf(data(value)))],
  sum: [1, 2, ([value = null, start = 0]) => iterate(value).reduce((sum, item) => binary('+', sum, item), data(start))],
  tuple: [0, 1, ([value = []]) => [...iterate(value)]],
  zip: [1, 100, (args) => zipped(args.map(iterate))],
};

export function callFunction(name: string, args: readonly Value[], named: Named): Value {
  const row = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (row === undefined) throw new EvaluationError('NameError', `the name ${name} is not defined`);
  const [fewest, most, run] = row;
  if (args.length < fewest || args.length > most) {
    throw new EvaluationError('TypeError', `${name}() got ${args.length} arguments`);
  }
  return run(args, named);
}

/** `str()`. */
export function stringOf(value: JsonValue): string {
  const simple = value === null || typeof value !== 'object' || value instanceof WholeFloat;
  return simple ? pythonStr(value) : textOf(value);
}

function text(value: string): string {
  checkSize(value.length, 'text');
  return value;
}

function call(what: Value, ...args: readonly Value[]): Value {
  if (what instanceof Callable) return what.call(args);
  throw new EvaluationError('TypeError', `${typeName(what)} cannot be called`);
}

function testOf(test: Value): (item: JsonValue) => boolean {
  return test === null ? isTrue : (item) => isTrue(call(test, item));
}

function count(value: Value): bigint {
  if (isNumber(value) && !isFloat(value)) return toInteger(value);
  throw new EvaluationError('TypeError', `expected an integer, got ${typeName(value)}`);
}

function absolute(value: Value): JsonValue {
  if (!isNumber(value)) throw new EvaluationError('TypeError', `abs() of ${typeName(value)}`);
  if (isFloat(value)) return float(Math.abs(toNumber(value)));
  const whole = toInteger(value);
  return integer(whole < 0n ? -whole : whole);
}

function dictionary(value: Value): JsonValue {
  if (isDict(value)) return dictOf(membersOf(value));
  return dictOf(
    iterate(value).map((pair) => {
      const [key, item, ...more] = iterate(pair);
      if (typeof key === 'string' && item !== undefined && more.length === 0) return [key, item] as const;
      throw new EvaluationError('ValueError', 'dict() takes pairs of a text and a value');
    }),
  );
}

function toFloat(value: Value): JsonValue {
  if (isNumber(value)) {
    const number = toNumber(value);
    if (isFloat(value) || Number.isFinite(number)) return float(number);
    throw new EvaluationError('ValueError', 'the integer is too large for a float');
  }
  if (typeof value !== 'string') throw new EvaluationError('TypeError', `float() of ${typeName(value)}`);
  const number = parseFloatText(value);
  if (number !== undefined) return float(number);
  throw new EvaluationError('ValueError', `${JSON.stringify(value.slice(0, 40))} is no number`);
}

const DIGITS: Readonly<Record<number, RegExp>> = {
  2: /^([+-]?)(?:0b_?)?([01]+(?:_[01]+)*)$/i,
  8: /^([+-]?)(?:0o_?)?([0-7]+(?:_[0-7]+)*)$/i,
  16: /^([+-]?)(?:0x_?)?([\da-f]+(?:_[\da-f]+)*)$/i,
};
const PREFIX: Readonly<Record<number, string>> = { 2: '0b', 8: '0o', 16: '0x' };

function toInt(value: Value, base: Value | undefined): JsonValue {
  if (isNumber(value) && base === undefined) {
    if (!isFloat(value)) return integer(toInteger(value));
    const number = toNumber(value);
    if (!Number.isFinite(number)) throw new EvaluationError('ValueError', `int() of ${number}`);
    return integer(BigInt(Math.trunc(number)));
  }
  if (typeof value !== 'string') throw new EvaluationError('TypeError', `int() of ${typeName(value)}`);
  return integerOf(value, base === undefined ? 10 : Number(count(base)));
}

function integerOf(value: string, base: number): JsonValue {
  const fault = () =>
    new EvaluationError('ValueError', `${JSON.stringify(value.slice(0, 40))} is no integer to base ${base}`);
  if (base === 10) {
    try {
      return integer(BigInt(parseInteger(value)));
    } catch {
      throw fault();
    }
  }
  const match = value.length > 4300 ? undefined : DIGITS[base]?.exec(withoutBlanks(value));
  if (!match) throw fault();
  const whole = BigInt(`${PREFIX[base] ?? ''}${(match[2] ?? '').replaceAll('_', '')}`);
  return integer(match[1] === '-' ? -whole : whole);
}

function isInstance(value: Value, types: Value): boolean {
  if (!(types instanceof Callable) || types.name === undefined) {
    throw new EvaluationError('TypeError', 'isinstance() takes one type');
  }
  const type = typeName(value);
  if (types.name === 'int') return type === 'int' || type === 'bool';
  return type === types.name || (types.name === 'tuple' && type === 'list');
}

function extreme(args: readonly Value[], named: Named, wanted: 1 | -1): JsonValue {
  const [only = null] = args;
  const items = args.length === 1 ? iterate(only) : args.map(data);
  const key = named.get('key') ?? null;
  const rank = (item: JsonValue) => (key === null ? item : call(key, item));
  let best: { readonly item: JsonValue; readonly rank: Value } | undefined;
  for (const item of items) {
    const ranked = rank(item);
    if (best === undefined || order(ranked, best.rank) * wanted > 0) best = { item, rank: ranked };
  }
  if (best !== undefined) return best.item;
  const fallback = named.get('default');
  if (fallback === undefined) throw new EvaluationError('ValueError', 'an empty list has no largest or smallest item');
  return data(fallback);
}

function first(value: Value, rest: readonly Value[]): JsonValue {
  const [item] = iterate(value);
  if (item !== undefined) return item;
  const [fallback] = rest;
  if (fallback === undefined) throw new EvaluationError('IndexError', 'there is no next item');
  return data(fallback);
}

function range(bounds: readonly number[]): JsonValue {
  const [start, stop, step] =
    bounds.length === 1 ? [0, bounds[0] ?? 0, 1] : [bounds[0] ?? 0, bounds[1] ?? 0, bounds[2] ?? 1];
  if (step === 0) throw new EvaluationError('ValueError', 'the step of a range is 0');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  checkSize(length, 'list');
  return Array.from({ length }, (_, at) => start + at * step);
}

function round(value: Value, digits: Value): JsonValue {
  if (!isNumber(value)) throw new EvaluationError('TypeError', `round() of ${typeName(value)}`);
  const places = digits === null ? 0 : Number(count(digits));
  if (!isFloat(value)) return integer(roundInteger(toInteger(value), places));
  const rounded = roundFloat(toNumber(value), places);
  if (digits !== null) return float(rounded);
  if (!Number.isFinite(rounded)) throw new EvaluationError('ValueError', `round() of ${rounded}`);
  return integer(BigInt(rounded));
}

function sorted(value: Value, named: Named): JsonValue {
  const key = named.get('key') ?? null;
  const rank = (item: JsonValue) => (key === null ? item : call(key, item));
  const turn = isTrue(named.get('reverse') ?? false) ? -1 : 1;
  const ranked = iterate(value).map((item) => [rank(item), item] as const);
  return ranked.sort(([a], [b]) => turn * order(a, b)).map(([, item]) => item);
}

function zipped(lists: readonly (readonly JsonValue[])[]): JsonValue {
  const length = Math.min(...lists.map((list) => list.length));
  return Array.from({ length }, (_, at) => lists.map((list) => list[at] ?? null));
}

/** Used by `join` and its kin: a list of texts only. */
export function texts(value: Value): readonly string[] {
  return (isSequence(value) ? value : iterate(value)).map((item) => {
    if (typeof item === 'string') return item;
    throw new EvaluationError('TypeError', `expected texts, got ${typeName(item)}`);
  });
}
