/** The words of a path, cut as jsonpath-rw-ext's lexer cuts them: in this order, the first that fits wins. */
import { JsonPathError } from './ast.ts';

type TokenKind = 'bool' | 'sort' | 'id' | 'where' | 'float' | 'number' | 'operator' | 'compare' | '..' | 'literal';

export interface Token {
  readonly kind: TokenKind;
  /** The text that matters: a quoted name without its quotes, the direction of a sort. */
  readonly text: string;
  readonly at: number;
}

const LITERALS = '*.[]()$,:|&?@+-';

const rules: readonly (readonly [TokenKind, RegExp])[] = [
  ['bool', /true|false/y],
  // This takes every slash, so that division cannot be written.
  ['sort', /,?\s*(?:\/|\\)/y],
  ['id', /@?[a-zA-Z_][a-zA-Z0-9_@-]*/y],
  ['float', /-?\d+\.\d+/y],
  ['number', /-?\d+/y],
  ['compare', /==?|<=|>=|!=|<|>|~/y],
  ['..', /\.\./y],
];

const quotes: Readonly<Record<string, TokenKind>> = { "'": 'id', '"': 'id', '`': 'operator' };

function quoted(path: string, start: number): readonly [string, number] {
  const quote = path[start];
  let text = '';
  for (let at = start + 1; at < path.length; at++) {
    const character = path[at] ?? '';
    if (character === quote) return [text, at + 1];
    if (character === '\\') {
      const next = path[++at];
      if (next === undefined || next === '\n') break;
      text += next;
    } else text += character;
  }
  throw new JsonPathError(`unterminated ${quote} at character ${start}`);
}

export function tokenize(path: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < path.length; ) {
    const character = path[at] ?? '';
    if (character === ' ' || character === '\t') {
      at++;
      continue;
    }
    const rule = rules.find(([, pattern]) => {
      pattern.lastIndex = at;
      return pattern.test(path);
    });
    if (rule !== undefined) {
      const [kind, pattern] = rule;
      const text = path.slice(at, pattern.lastIndex);
      if (kind === 'sort') tokens.push({ kind, text: text.slice(-1), at });
      else tokens.push({ kind: text === 'where' ? 'where' : kind, text, at });
      at = pattern.lastIndex;
    } else if (quotes[character] !== undefined) {
      const [text, end] = quoted(path, at);
      tokens.push({ kind: quotes[character], text, at });
      at = end;
    } else if (LITERALS.includes(character)) {
      tokens.push({ kind: 'literal', text: character, at });
      at++;
    } else if (character === '\n') at++;
    else throw new JsonPathError(`unexpected character ${JSON.stringify(character)} at character ${at}`);
  }
  return tokens;
}
