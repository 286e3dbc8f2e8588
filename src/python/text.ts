/** What Python's `str()` and `repr()` print of any value: text traits and joined names are made of it. */
import { pythonStr } from '../wire/python-repr.ts';
import { isList, isObject, type JsonValue, keysOf } from '../wire/value.ts';

// Python escapes what it does not call printable: controls, formats, surrogates, private use, unassigned, separators.
const unprintable = /[\p{C}\p{Z}]/u;
const special: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeUnit(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

export function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = '';
  for (const character of text) {
    if (character === quote) body += `\\${character}`;
    else if (character === ' ') body += character;
    else body += special[character] ?? (unprintable.test(character) ? escapeUnit(character) : character);
  }
  return quote + body + quote;
}

export function reprOf(value: JsonValue): string {
  if (typeof value === 'string') return stringRepr(value);
  if (isList(value)) return `[${value.map(reprOf).join(', ')}]`;
  if (!isObject(value)) return pythonStr(value);
  return `{${keysOf(value)
    .map((key) => `${stringRepr(key)}: ${reprOf(value[key] ?? null)}`)
    .join(', ')}}`;
}

export function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : reprOf(value);
}

/** `text[:count]`, counted as Python counts: by code point, and from the end where it is below 0. */
export function cropped(text: string, count: number): string {
  if (count < 0) return Array.from(text).slice(0, count).join('');
  if (text.length <= count) return text;
  let units = 0;
  for (let left = count; left > 0 && units < text.length; left--) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}
