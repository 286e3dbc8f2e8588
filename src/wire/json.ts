/** JSON text as Python's `json.dumps` writes it: ASCII only, a space after each comma and colon. */
import { floatRepr, numberStr } from './python-repr.ts';
import { isList, isObject, type JsonObject, type JsonValue, WholeFloat } from './value.ts';

/**
 * `plain` is JSON. `nested` is the same text as it stands inside of a JSON string, where the oslo envelope has it:
 * written that way at once, it never has to be escaped as a whole.
 */
export type JsonForm = 'plain' | 'nested';

const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const NOT_ASCII = /[\x7f-\uffff]/g;

export function jsonString(text: string, form: JsonForm = 'plain'): string {
  const quote = form === 'nested' ? '\\"' : '"';
  return `${quote}${jsonText(text, form)}${quote}`;
}

/** What stands between the quotes of a string. */
export function jsonText(text: string, form: JsonForm = 'plain'): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  const plain = JSON.stringify(text)
    .slice(1, -1)
    .replace(NOT_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return form === 'nested' ? nested(plain) : plain;
}

function jsonNumber(value: number): string {
  return Number.isFinite(value) ? numberStr(value) : notFinite(value);
}

/** A number that is a float whatever its value. */
export function jsonFloat(value: number): string {
  return Number.isFinite(value) ? floatRepr(value) : notFinite(value);
}

function notFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}

export function stringifyJson(value: JsonValue, form: JsonForm = 'plain'): string {
  const text = plainText(value);
  return form === 'nested' ? nested(text) : text;
}

/** The text of an object in parts, one for each member and one for the end. */
export function jsonParts(value: JsonObject, form: JsonForm): readonly string[] {
  const members = Object.entries(value).map(([key, item], index) => {
    const text = `${index === 0 ? '{' : ', '}${jsonString(key)}: ${plainText(item)}`;
    return form === 'nested' ? nested(text) : text;
  });
  return [...members, members.length === 0 ? '{}' : '}'];
}

function plainText(value: JsonValue): string {
  if (isList(value)) return `[${value.map(plainText).join(', ')}]`;
  if (isObject(value)) {
    const members = Object.entries(value).map(([key, item]) => `${jsonString(key)}: ${plainText(item)}`);
    return `{${members.join(', ')}}`;
  }
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'number') return jsonNumber(value);
  if (value instanceof WholeFloat) return jsonFloat(value.value);
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  // Plugins that no compiler has checked get here.
  throw new TypeError(`${typeof value} is not a value that JSON can carry`);
}

/** Escapes text that is ASCII already, for its place inside of a JSON string. */
function nested(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
