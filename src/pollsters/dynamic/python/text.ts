/** Texts as Python takes them apart: by code points, with its own idea of what is blank and where lines end. */

/** What `str.strip()` takes away and `str.split()` splits at: not quite what JavaScript calls a blank. */
export const BLANKS = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const LEADING = new RegExp(`^[${BLANKS}]+`);
const TRAILING = new RegExp(`[${BLANKS}]+$`);
const LINE_ENDS = String.raw`\n-\r\x1c-\x1e\x85\u2028\u2029`;
const LINE_END = new RegExp(`\r\n|[${LINE_ENDS}]`);

export const withoutBlanksBefore = (text: string) => text.replace(LEADING, '');
export const withoutBlanksAfter = (text: string) => text.replace(TRAILING, '');
export const withoutBlanks = (text: string) => withoutBlanksAfter(withoutBlanksBefore(text));

/** The number of code points. */
export function lengthOf(text: string): number {
  let pairs = 0;
  for (const _ of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) pairs += 1;
  return text.length - pairs;
}

/** The place of a part, counted in code points; -1 where it is not. */
export function placeOf(text: string, part: string, from: 'left' | 'right'): number {
  const at = from === 'left' ? text.indexOf(part) : text.lastIndexOf(part);
  return at < 0 ? at : lengthOf(text.slice(0, at));
}

export function splitLines(text: string): string[] {
  const lines = text.split(LINE_END);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

export function capitalized(text: string): string {
  const [first = ''] = text;
  return titled(first) + text.toLowerCase().slice(first.toLowerCase().length);
}

/** Each first letter large that has no letter with a case before it. */
export function titleCased(text: string): string {
  return text.replace(/\p{Cased}+/gu, capitalized);
}

/** Python's title case differs from upper case in the few letters that are two. */
const TITLED: Readonly<Record<string, string>> = { Ǆ: 'ǅ', Ǉ: 'ǈ', Ǌ: 'ǋ', Ǳ: 'ǲ' };

function titled(letter: string): string {
  const upper = letter.toUpperCase();
  const [first = '', ...rest] = upper;
  return (TITLED[first] ?? first) + rest.join('').toLowerCase();
}
