/** Text on a terminal: what may be shown, how wide it is, how to cut it. */

/** Control and format characters: escape sequences, line breaks, reversals of the writing direction. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text from elsewhere with nothing left in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\u{fffd}');
}

const ASCII = /^[\x20-\x7e]*$/;
const WIDE =
  /^[\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{a4cf}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;

/** Made when it is needed: it takes the tables of ICU into memory, more than a megabyte. */
let segmenter: Intl.Segmenter | undefined;

function lettersOf(text: string): string[] {
  if (ASCII.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function letterWidth(letter: string): number {
  return WIDE.test(letter) ? 2 : 1;
}

/** How many columns printable text takes. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  return lettersOf(text).reduce((sum, letter) => sum + letterWidth(letter), 0);
}

function takeLetters(letters: Iterable<string>, width: number): string[] {
  const taken: string[] = [];
  let room = width;
  for (const letter of letters) {
    room -= letterWidth(letter);
    if (room < 0) break;
    taken.push(letter);
  }
  return taken;
}

/** Cuts out the middle, for both ends of an id tell something. */
export function truncateMiddle(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  const letters = lettersOf(text);
  const head = takeLetters(letters, Math.ceil((width - 1) / 2)).join('');
  const tail = takeLetters(letters.reverse(), Math.floor((width - 1) / 2));
  return `${head}…${tail.reverse().join('')}`;
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** `1 sample`, `2,000 samples` */
export function plural(count: number, noun: string): string {
  return `${grouped(String(count))} ${noun}${count === 1 ? '' : 's'}`;
}

/** Thousands separators for a row of digits, with or without a sign and a fraction. */
export function grouped(number: string): string {
  const [whole = '', fraction] = number.split('.');
  const separated = whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? separated : `${separated}.${fraction}`;
}
