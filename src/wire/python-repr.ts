/** How Python prints values. Signatures hash this text, so every character counts. */
import { isList, isObject, type JsonObject, type JsonValue, type WholeFloat } from './value.ts';

/** `repr()` of a float: the fewest digits that read back the same, with an exponent below 1e-4 and from 1e16 on. */
export function floatRepr(value: number): string {
  const size = Math.abs(value);
  if (size < 1e16 && (size >= 1e-4 || size === 0)) {
    if (!Number.isInteger(value)) return String(value);
    return Object.is(value, -0) ? '-0.0' : `${value}.0`;
  }
  if (Number.isFinite(value)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

/** `str()` of a number: a whole one is an integer, unless it is too big to be held as one. */
export function numberStr(value: number): string {
  if (!Number.isInteger(value)) return floatRepr(value);
  return Number.isSafeInteger(value) ? String(value) : String(BigInt(value));
}

/** `str()` of what a message holds outside of lists. */
export function pythonStr(value: string | number | bigint | boolean | null | WholeFloat): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberStr(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? 'True' : 'False';
    default:
      return value === null ? 'None' : floatRepr(value.value);
  }
}

/**
 * `repr()` after every string was encoded as UTF-8 bytes and every dictionary sorted. Upstream hashes lists this way.
 */
export function bytesRepr(value: JsonValue): string {
  if (typeof value === 'string') return bytesLiteral(value);
  if (isList(value)) return `[${value.map(bytesRepr).join(', ')}]`;
  if (!isObject(value)) return pythonStr(value);
  return `{${sortedEntries(value)
    .map(([key, item]) => `${bytesLiteral(key)}: ${bytesRepr(item)}`)
    .join(', ')}}`;
}

/** `repr()` as it is. */
export function pythonRepr(value: JsonValue): string {
  if (typeof value === 'string') return textLiteral(value);
  if (isList(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  if (!isObject(value)) return pythonStr(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${textLiteral(key)}: ${pythonRepr(item)}`)
    .join(', ')}}`;
}

/** The entries in the order in which Python sorts their keys: by code point. */
export function sortedEntries(object: JsonObject): (readonly [key: string, value: JsonValue])[] {
  const entries = Object.entries(object);
  const compare = entries.some(([key]) => /[\ud800-\uffff]/.test(key)) ? byCodePoint : byCodeUnit;
  return entries.sort(([a], [b]) => compare(a, b));
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The order of Python's texts. Differs from the order of UTF-16 where a surrogate pair meets U+E000 to U+FFFF. */
export function byCodePoint(a: string, b: string): number {
  for (let index = 0; index < a.length && index < b.length; index += 1) {
    const left = a.codePointAt(index) ?? 0;
    const right = b.codePointAt(index) ?? 0;
    if (left !== right) return left - right;
  }
  return a.length - b.length;
}

const escapes: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };

/** Python escapes what it cannot print: white space other than the blank, and all that has no shape. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;

function textLiteral(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let literal = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === quote) literal += `\\${quote}`;
    else if (code in escapes) literal += escapes[code];
    else if (character === ' ' || !UNPRINTABLE.test(character)) literal += character;
    else if (code < 0x100) literal += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x10000) literal += `\\u${code.toString(16).padStart(4, '0')}`;
    else literal += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `${quote}${literal}${quote}`;
}

function bytesLiteral(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  if (/^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/.test(text)) return `b'${text}'`;
  let literal = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    if (character === quote) literal += `\\${quote}`;
    else if (byte in escapes) literal += escapes[byte];
    else if (byte < 0x20 || byte > 0x7e) literal += `\\x${byte.toString(16).padStart(2, '0')}`;
    else literal += character;
  }
  return `b${quote}${literal}${quote}`;
}
