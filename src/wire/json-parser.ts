/**
 * Reads JSON as Python's `json.loads` does: integers of any size exactly, NaN and Infinity accepted, the last of equal
 * keys wins.
 */
import { type JsonValue, rememberKeyOrder, WholeFloat } from './value.ts';

/** Whole numbers below this many digits are exact as a `number`. Ids of that many digits stand inside of strings. */
const LONG_NUMBER = /(?:^|[-:,[\s])[0-9]{16}/;

/** As Python. Beyond it the text is an attack or a mistake, and costs more than it is worth. */
const MAX_DIGITS = 4300;
const MAX_DEPTH = 1000;

/** Integers that a `number` cannot hold exactly become `bigint`; `1.0` and `1` are the same. */
export function parseJson(text: string): JsonValue {
  if (!LONG_NUMBER.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // What Python accepts beyond JSON, or the reason why it is wrong.
    }
  }
  return parse(text, false);
}

/**
 * What `JSON.parse` could read otherwise than Python does: floats with a whole value, those that are rounded to one
 * included, integers beyond 2^53, minus zero, keys that look like array indices. It may take a text inside of a string
 * for one of them, and misses none.
 */
const INEXACT = (() => {
  const end = String.raw`(?:[\s,\]}]|$)`;
  const long = String.raw`(?=[0-9.]{17})(?:[0-9]{16}|[0-9]+\.[09])|9[0-9]{15}`;
  const whole = String.raw`[0-9]+(?:\.0+${end}|(?:\.[0-9]+)?[eE][-+0-9])`;
  const indexKey = String.raw`"(?:0|[1-9][0-9]{0,9})"\s*:`;
  return new RegExp(String.raw`(?:^|[:,[\s])(?:-?(?:${long}|${whole})|-0${end})|${indexKey}`);
})();

/** Also keeps `1.0` apart from `1`, as a {@link WholeFloat}, and the order of all keys. */
export function parseExactJson(text: string): JsonValue {
  if (!INEXACT.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // As above.
    }
  }
  return parse(text, true);
}

const INDEX = /^(?:0|[1-9][0-9]{0,9})$/;
/** A backslash or a control character. */
const UNUSUAL = /[^\x20-\x5b\x5d-\uffff]/;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const WORDS = /null|true|false|NaN|-?Infinity/y;
const words: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

function parse(text: string, exact: boolean): JsonValue {
  let at = 0;
  let depth = 0;

  function fail(expected: string): never {
    const found = at < text.length ? JSON.stringify(text.slice(at, at + 10)) : 'the end';
    throw new SyntaxError(`invalid JSON at character ${at}: expected ${expected}, found ${found}`);
  }

  /** The code of the next character that is not white space; NaN at the end. */
  function next(): number {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      at += 1;
    }
  }

  function value(): JsonValue {
    switch (next()) {
      case 0x22:
        return string();
      case 0x7b:
        return deeper(object);
      case 0x5b:
        return deeper(list);
      default:
        return scalar();
    }
  }

  function deeper<T>(read: () => T): T {
    depth += 1;
    if (depth > MAX_DEPTH) throw new SyntaxError(`invalid JSON: more than ${MAX_DEPTH} levels deep`);
    const result = read();
    depth -= 1;
    return result;
  }

  function string(): string {
    const start = at;
    do {
      at = text.indexOf('"', at + 1);
      if (at === -1) {
        at = text.length;
        fail('the end of a string');
      }
    } while (escaped(start));
    at += 1;
    const content = text.slice(start + 1, at - 1);
    if (!UNUSUAL.test(content)) return content;
    try {
      return String(JSON.parse(text.slice(start, at)));
    } catch {
      at = start;
      return fail('a string without control characters and bad escapes');
    }
  }

  /** Whether the quote at `at` has an odd number of backslashes before it. */
  function escaped(start: number): boolean {
    let index = at - 1;
    while (index > start && text.charCodeAt(index) === 0x5c) index -= 1;
    return (at - index) % 2 === 0;
  }

  function list(): JsonValue {
    const items: JsonValue[] = [];
    at += 1;
    if (next() === 0x5d) {
      at += 1;
      return items;
    }
    for (;;) {
      items.push(value());
      if (closes(0x5d, 'a comma or the end of a list')) return items;
    }
  }

  function object(): JsonValue {
    const members: { [key: string]: JsonValue } = {};
    const order = new Set<string>();
    let indexLike = false;
    at += 1;
    if (next() === 0x7d) {
      at += 1;
      return members;
    }
    for (;;) {
      if (next() !== 0x22) fail('a key');
      const key = string();
      if (next() !== 0x3a) fail('a colon');
      at += 1;
      const item = value();
      // A plain assignment to this name would set the prototype instead.
      if (key === '__proto__') {
        Object.defineProperty(members, key, { value: item, enumerable: true, configurable: true, writable: true });
      } else members[key] = item;
      indexLike ||= INDEX.test(key);
      if (exact) order.add(key);
      if (closes(0x7d, 'a comma or the end of an object')) break;
    }
    if (exact && indexLike) rememberKeyOrder(members, [...order]);
    return members;
  }

  function closes(end: number, expected: string): boolean {
    const code = next();
    if (code !== 0x2c && code !== end) fail(expected);
    at += 1;
    return code === end;
  }

  function scalar(): JsonValue {
    NUMBER.lastIndex = at;
    const match = NUMBER.exec(text);
    if (match !== null) {
      at = NUMBER.lastIndex;
      return number(match[0], match[1] !== undefined || match[2] !== undefined);
    }
    WORDS.lastIndex = at;
    const word = WORDS.exec(text)?.[0];
    const known = word === undefined ? undefined : words.get(word);
    if (word === undefined || known === undefined) return fail('a value');
    at += word.length;
    return known;
  }

  function number(digits: string, float: boolean): JsonValue {
    const result = Number(digits);
    if (float) return exact && Number.isInteger(result) ? new WholeFloat(result) : result;
    if (Number.isSafeInteger(result)) return Object.is(result, -0) ? 0 : result;
    if (digits.length > MAX_DIGITS) throw new SyntaxError(`invalid JSON: an integer of ${digits.length} digits`);
    return BigInt(digits);
  }

  const result = value();
  if (!Number.isNaN(next())) fail('nothing more');
  return result;
}
