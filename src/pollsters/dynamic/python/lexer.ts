/** Cuts a Python expression into tokens. */
import { WholeFloat } from '../../../wire/value.ts';
import { NotPythonError } from './errors.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'operator' | 'end';
  /** A string's content, anything else's spelling. */
  readonly text: string;
}

const LONGEST_EXPRESSION = 2000;

const BLANK = /[ \t\f\r\n]+/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const DIGITS = '[0-9](?:_?[0-9])*';
const NUMBER = new RegExp(
  `0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:[eE][+-]?${DIGITS})?`,
  'y',
);
const OPERATOR = /\*\*|\/\/|==|!=|<=|>=|<<|>>|:=|[-+*/%<>=()[\]{},:.&|^~@]/y;
const STRING_START = /([rRuUbBfF]{0,2})('''|"""|'|")/y;

export interface Tokens {
  readonly tokens: readonly Token[];
  /** Strings of kinds that definitions cannot use. */
  readonly unsupported: readonly string[];
}

export function tokenize(text: string): Tokens {
  if (text.length > LONGEST_EXPRESSION) throw new NotPythonError(`longer than ${LONGEST_EXPRESSION} characters`);
  const tokens: Token[] = [];
  const unsupported: string[] = [];
  let at = 0;

  function take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  }

  for (;;) {
    take(BLANK);
    if (at >= text.length) return { tokens: [...tokens, { kind: 'end', text: 'the end' }], unsupported };
    const start = take(STRING_START);
    if (start !== null) {
      const [, prefix = '', quote = ''] = start;
      const end = endOfString(text, at, quote);
      const content = text.slice(at, end);
      at = end + quote.length;
      tokens.push({ kind: 'string', text: contentOf(content, prefix.toLowerCase(), unsupported) });
      continue;
    }
    const name = take(NAME);
    if (name !== null) {
      tokens.push({ kind: 'name', text: name[0] });
      continue;
    }
    const number = take(NUMBER);
    if (number !== null) {
      tokens.push({ kind: 'number', text: number[0] });
      // Not `1st`: Python knows no number that a letter follows.
      if (take(NAME) !== null) throw new NotPythonError(`a letter after the number ${number[0]}`);
      continue;
    }
    const operator = take(OPERATOR);
    if (operator === null) throw new NotPythonError(`unexpected ${JSON.stringify(text.charAt(at))}`);
    tokens.push({ kind: 'operator', text: operator[0] });
  }
}

function endOfString(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text.charAt(at) === '\\') at += 1;
    else if (text.startsWith(quote, at)) return at;
    else if (quote.length === 1 && text.charAt(at) === '\n') break;
  }
  throw new NotPythonError('a string without an end');
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '0': '\0',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

function contentOf(content: string, prefix: string, unsupported: string[]): string {
  if (prefix === 'r') return content;
  if (prefix !== '' && prefix !== 'u') unsupported.push(`a string with the prefix ${prefix}`);
  return content.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([\s\S]))/g,
    (whole, byte?: string, unit?: string, single?: string) => {
      const code = byte ?? unit;
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      if (single !== undefined && /[1-7NUxu]/.test(single)) unsupported.push(`the escape ${whole}`);
      return ESCAPES[single ?? ''] ?? whole;
    },
  );
}

/** The value of a number's spelling. */
export function numberOf(spelling: string): number | bigint | WholeFloat {
  const text = spelling.replaceAll('_', '');
  if (/^0[xXoObB]/.test(text) || /^[0-9]+$/.test(text)) {
    if (/^0[0-9]*[1-9]/.test(text)) throw new NotPythonError(`the number ${text} with a zero before it`);
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : BigInt(text);
  }
  const value = Number(text);
  return Number.isInteger(value) ? new WholeFloat(value) : value;
}
