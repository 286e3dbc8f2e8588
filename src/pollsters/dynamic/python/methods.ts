/** Methods of texts, lists and dicts that expressions may call. None changes what it is called on. */
import { type JsonObject, type JsonValue, keysOf } from '../../../wire/value.ts';
import { EvaluationError } from './errors.ts';
import { texts } from './functions.ts';
import {
  BLANKS,
  capitalized,
  lengthOf,
  placeOf,
  splitLines,
  titleCased,
  withoutBlanksAfter,
  withoutBlanksBefore,
} from './text.ts';
import {
  checkSize,
  data,
  integer,
  isDict,
  isEqual,
  isFloat,
  isNumber,
  isSequence,
  member,
  membersOf,
  toInteger,
  typeName,
  type Value,
} from './values.ts';

type Method<T> = (self: T, args: readonly Value[]) => JsonValue;
type Table<T> = Readonly<Record<string, readonly [fewest: number, most: number, run: Method<T>]>>;

const ofText: Table<string> = {
  capitalize: [0, 0, capitalized],
  count: [1, 1, (self, [part]) => (text(part) === '' ? lengthOf(self) + 1 : self.split(text(part)).length - 1)],
  endswith: [1, 1, (self, [end]) => oneOrMore(end).some((one) => self.endsWith(one))],
  find: [1, 1, (self, [part]) => placeOf(self, text(part), 'left')],
  index: [1, 1, (self, [part]) => found(placeOf(self, text(part), 'left'))],
  isalpha: [0, 0, (self) => /^\p{L}+$/u.test(self)],
  isdigit: [0, 0, (self) => /^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089]+$/u.test(self)],
  isnumeric: [0, 0, (self) => /^\p{N}+$/u.test(self)],
  join: [1, 1, (self, [parts = null]) => joined(self, texts(parts))],
  lower: [0, 0, (self) => self.toLowerCase()],
  lstrip: [0, 1, (self, [characters]) => stripped(self, characters, 'left')],
  partition: [1, 1, (self, [separator]) => partition(self, text(separator), self.indexOf(text(separator)), 'left')],
  removeprefix: [1, 1, (self, [start]) => (self.startsWith(text(start)) ? self.slice(text(start).length) : self)],
  removesuffix: [1, 1, (self, [end]) => withoutEnd(self, text(end))],
  replace: [2, 3, (self, [old, fresh, most]) => replaced(self, text(old), text(fresh), limit(most))],
  rfind: [1, 1, (self, [part]) => placeOf(self, text(part), 'right')],
  rpartition: [
    1,
    1,
    (self, [separator]) => partition(self, text(separator), self.lastIndexOf(text(separator)), 'right'),
  ],
  rsplit: [0, 2, (self, [separator, most]) => splitFromRight(self, separator, limit(most))],
  rstrip: [0, 1, (self, [characters]) => stripped(self, characters, 'right')],
  split: [0, 2, (self, [separator, most]) => split(self, separator, limit(most))],
  splitlines: [0, 0, splitLines],
  startswith: [1, 1, (self, [start]) => oneOrMore(start).some((one) => self.startsWith(one))],
  strip: [0, 1, (self, [characters]) => stripped(stripped(self, characters, 'left'), characters, 'right')],
  title: [0, 0, titleCased],
  upper: [0, 0, (self) => self.toUpperCase()],
  zfill: [1, 1, (self, [width]) => filled(self, limit(width))],
};

const ofList: Table<readonly JsonValue[]> = {
  count: [1, 1, (self, [item = null]) => self.filter((one) => isEqual(one, item)).length],
  index: [1, 1, (self, [item = null]) => found(self.findIndex((one) => isEqual(one, item)))],
};

const ofDict: Table<JsonObject> = {
  get: [
    1,
    2,
    (self, [key, fallback = null]) => (typeof key === 'string' ? member(self, key) : undefined) ?? data(fallback),
  ],
  items: [0, 0, (self) => membersOf(self).map(([key, value]) => [key, value])],
  keys: [0, 0, (self) => [...keysOf(self)]],
  values: [0, 0, (self) => membersOf(self).map(([, value]) => value)],
};

export function callMethod(self: Value, name: string, args: readonly Value[]): JsonValue {
  if (typeof self === 'string') return run(ofText, self, name, args);
  if (isSequence(self)) return run(ofList, self, name, args);
  if (isDict(self)) return run(ofDict, self, name, args);
  throw new EvaluationError('TypeError', `${typeName(self)} has no ${name}()`);
}

function run<T extends Value>(table: Table<T>, self: T, name: string, args: readonly Value[]): JsonValue {
  const row = Object.hasOwn(table, name) ? table[name] : undefined;
  if (row === undefined) throw new EvaluationError('TypeError', `${typeName(self)} has no ${name}()`);
  const [fewest, most, method] = row;
  if (args.length < fewest || args.length > most) {
    throw new EvaluationError('TypeError', `${name}() got ${args.length} arguments`);
  }
  return method(self, args);
}

function text(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw new EvaluationError('TypeError', `expected a text, got ${typeName(value ?? null)}`);
}

function oneOrMore(value: Value | undefined): readonly string[] {
  return value !== undefined && isSequence(value) ? texts(value) : [text(value)];
}

/** How often; for ever where nothing or less than 0 is said. */
function limit(value: Value | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (!isNumber(value) || isFloat(value)) {
    throw new EvaluationError('TypeError', `expected an integer, got ${typeName(value)}`);
  }
  const times = Number(integer(toInteger(value)));
  return times < 0 ? Number.POSITIVE_INFINITY : times;
}

function found(index: number): number {
  if (index < 0) throw new EvaluationError('ValueError', 'what is looked for is not there');
  return index;
}

function joined(separator: string, parts: readonly string[]): string {
  checkSize(
    parts.reduce((sum, part) => sum + part.length + separator.length, 0),
    'text',
  );
  return parts.join(separator);
}

function withoutEnd(self: string, end: string): string {
  return end !== '' && self.endsWith(end) ? self.slice(0, -end.length) : self;
}

function replaced(self: string, old: string, fresh: string, most: number): string {
  const parts = old === '' ? ['', ...self, ''] : self.split(old);
  const kept = most >= parts.length - 1 ? parts : [...parts.slice(0, most), parts.slice(most).join(old)];
  return joined(fresh, kept);
}

const BLANK = new RegExp(`[${BLANKS}]`);

function stripped(self: string, characters: Value | undefined, side: 'left' | 'right'): string {
  if (characters === undefined || characters === null) {
    return side === 'left' ? withoutBlanksBefore(self) : withoutBlanksAfter(self);
  }
  const set = new Set(text(characters));
  const points = [...self];
  let from = 0;
  let to = points.length;
  const goes = (at: number) => set.has(points[at] ?? '');
  if (side === 'left') while (from < to && goes(from)) from += 1;
  else while (from < to && goes(to - 1)) to -= 1;
  return points.slice(from, to).join('');
}

function partition(self: string, separator: string, at: number, side: 'left' | 'right'): JsonValue {
  if (separator === '') throw new EvaluationError('ValueError', 'the separator is empty');
  if (at < 0) return side === 'left' ? [self, '', ''] : ['', '', self];
  return [self.slice(0, at), separator, self.slice(at + separator.length)];
}

function split(self: string, separator: Value | undefined, most: number): JsonValue {
  if (separator === undefined || separator === null) return splitBlanks(self, most);
  const by = text(separator);
  if (by === '') throw new EvaluationError('ValueError', 'the separator is empty');
  const parts = self.split(by);
  if (parts.length - 1 <= most) return parts;
  return [...parts.slice(0, most), parts.slice(most).join(by)];
}

function splitBlanks(self: string, most: number): JsonValue {
  const parts: string[] = [];
  let rest = withoutBlanksBefore(self);
  while (rest !== '') {
    const at = parts.length >= most ? -1 : rest.search(BLANK);
    if (at < 0) {
      parts.push(parts.length >= most ? rest : withoutBlanksAfter(rest));
      break;
    }
    parts.push(rest.slice(0, at));
    rest = withoutBlanksBefore(rest.slice(at));
  }
  return parts;
}

function splitFromRight(self: string, separator: Value | undefined, most: number): JsonValue {
  const backwards = (value: string) => [...value].reverse().join('');
  const by = separator === undefined || separator === null ? separator : backwards(text(separator));
  return texts(split(backwards(self), by, most))
    .map(backwards)
    .reverse();
}

function filled(self: string, width: number): string {
  if (width === Number.POSITIVE_INFINITY) return self;
  checkSize(width, 'text');
  const [, sign = '', rest = ''] = /^([+-]?)([\s\S]*)$/.exec(self) ?? [];
  return sign + '0'.repeat(Math.max(0, width - lengthOf(self))) + rest;
}
