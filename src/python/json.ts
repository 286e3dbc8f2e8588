/** JSON in Python's dialect: integers and floats stay apart, `NaN` and `Infinity` are numbers, text is ASCII. */

import { floatText } from './text.ts';
import { isDict, isList, type JsonValue, keysOf, rememberKeyOrder, ValueError, WholeFloat } from './value.ts';

/**
 * Whether `JSON.parse` could read a text otherwise than Python: floats with a whole value, integers beyond 2^53, minus
 * zero, keys that look like array indices. May say so for a mere likeness inside a string, never the reverse.
 */
const special =
  /(?:^|[:,[\s])-?[0-9]+(?:\.[0-9]+)?[eE][-+0-9]|\.0+(?:[\s,\]}]|$)|[0-9]{17}|[0-9]{16}\.|9[0-9]{15}|-0(?:[\s,\]}]|$)|"(?:0|[1-9][0-9]{0,9})"\s*:/;

/** Nesting that Python's own parser takes before it gives up. */
const MAX_DEPTH = 900;
/** Python refuses longer integers, since reading them takes quadratic time. */
const MAX_DIGITS = 4300;

/** Reads a text as Python's `json.loads` does. Throws a {@link ValueError} that says where it went wrong. */
export function parseJson(text: string): JsonValue {
  if (!special.test(text)) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      // Python's dialect is wider, and the reader below says what is wrong.
    }
  }
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonValue {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail('extra data');
    return value;
  }

  #fail(what: string): never {
    throw new ValueError(`not JSON: ${what} at character ${this.#at}`);
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at++;
    }
  }

  #value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) this.#fail('nesting is too deep');
    this.#space();
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string();
      case '{':
        return this.#dict(depth);
      case '[':
        return this.#list(depth);
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      case 'N':
        return this.#word('NaN', Number.NaN);
      case 'I':
        return this.#word('Infinity', Number.POSITIVE_INFINITY);
      default:
        return this.#number();
    }
  }

  #word(word: string, value: JsonValue): JsonValue {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('no value');
    this.#at += word.length;
    return value;
  }

  #number(): JsonValue {
    const pattern = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) {
      if (this.#text.startsWith('-Infinity', this.#at)) return this.#word('-Infinity', Number.NEGATIVE_INFINITY);
      return this.#fail('no value');
    }
    this.#at += match[0].length;
    if (match[2] !== undefined || match[3] !== undefined) {
      const value = Number(match[0]);
      return Number.isInteger(value) ? new WholeFloat(value) : value;
    }
    const digits = match[0];
    if (digits.length > MAX_DIGITS) this.#fail('an integer has too many digits');
    const value = Number(digits);
    if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
    return BigInt(digits);
  }

  #string(): string {
    const text = this.#text;
    let end = this.#at + 1;
    for (;;) {
      end = text.indexOf('"', end);
      if (end < 0) this.#fail('unterminated string');
      let slashes = end;
      while (text.charCodeAt(slashes - 1) === 92) slashes--;
      if ((end - slashes) % 2 === 0) break;
      end++;
    }
    try {
      const value = JSON.parse(text.slice(this.#at, end + 1)) as string;
      this.#at = end + 1;
      return value;
    } catch {
      return this.#fail('a string with a bad escape or a control character');
    }
  }

  #list(depth: number): JsonValue {
    const list: JsonValue[] = [];
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return list;
    }
    for (;;) {
      list.push(this.#value(depth + 1));
      this.#space();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== ']') this.#fail("no ',' in a list");
      this.#at++;
      if (next === ']') return list;
    }
  }

  #dict(depth: number): JsonValue {
    const dict: Record<string, JsonValue> = {};
    const keys = new Set<string>();
    let indexLike = false;
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return dict;
    }
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail('no property name');
      const key = this.#string();
      this.#space();
      if (this.#text[this.#at] !== ':') this.#fail("no ':' after a property name");
      this.#at++;
      const value = this.#value(depth + 1);
      if (key === '__proto__') {
        Object.defineProperty(dict, key, { value, writable: true, enumerable: true, configurable: true });
      } else dict[key] = value;
      keys.add(key);
      indexLike ||= /^(?:0|[1-9][0-9]{0,9})$/.test(key);
      this.#space();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== '}') this.#fail("no ',' in an object");
      this.#at++;
      if (next === '}') break;
    }
    if (indexLike) rememberKeyOrder(dict, [...keys]);
    return dict;
  }
}

const plain = /^[ !#-[\]-~]*$/;
const beyondAscii = /[\x7f-\uffff]/g;

/** A string as Python's `json.dumps` writes it. */
export function printString(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(beyondAscii, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A value as Python's `json.dumps` writes it. */
export function printJson(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return printString(value);
    case 'number':
      return Number.isInteger(value) ? String(value) : jsonFloat(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return value.toString();
    default:
      return printCompound(value);
  }
}

function printCompound(value: JsonValue): string {
  if (value === null) return 'null';
  if (value instanceof WholeFloat) return floatText(value.value);
  let text = '';
  if (isList(value)) {
    for (const item of value) text += text === '' ? printJson(item) : `, ${printJson(item)}`;
    return `[${text}]`;
  }
  if (!isDict(value)) throw new TypeError(`not a JSON value: ${typeof value}`);
  for (const key of keysOf(value)) {
    const entry = `${printString(key)}: ${printJson(value[key] ?? null)}`;
    text = text === '' ? entry : `${text}, ${entry}`;
  }
  return `{${text}}`;
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  if (value === Number.NEGATIVE_INFINITY) return '-Infinity';
  return floatText(value);
}
