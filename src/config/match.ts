import { nearest } from '../util/nearest.ts';

/** Whether a selection such as `['disk.*', '*.bytes']` or `['!network.*']` takes a name. Exclusions have precedence. */
export function supports(patterns: readonly string[], name: string): boolean {
  const excluded = patterns.filter((pattern) => pattern.startsWith('!'));
  if (excluded.some((pattern) => fnmatch(name, pattern.slice(1)))) return false;
  // A selection of exclusions alone takes the rest.
  return excluded.length === patterns.length || patterns.some((p) => !p.startsWith('!') && fnmatch(name, p));
}

export interface Unmatched {
  readonly pattern: string;
  /** The known name that was most likely meant. */
  readonly nearest?: string;
}

/** The patterns that match no known name, exclusions included. */
export function unmatched(patterns: readonly string[], knownNames: readonly string[]): readonly Unmatched[] {
  return patterns.flatMap((pattern) => {
    const wanted = pattern.startsWith('!') ? pattern.slice(1) : pattern;
    if (knownNames.some((name) => fnmatch(name, wanted))) return [];
    const near = nearest(wanted, knownNames);
    return [near === undefined ? { pattern } : { pattern, nearest: near }];
  });
}

type Token = { readonly kind: 'star' } | { readonly kind: 'one'; readonly takes: (char: string) => boolean };

/**
 * Python's fnmatch on Linux: `*`, `?`, `[set]`, `[!set]`; the whole name, case counts. Takes at most name × pattern
 * steps.
 */
export function fnmatch(name: string, pattern: string): boolean {
  const tokens = tokenize(Array.from(pattern));
  const chars = Array.from(name);
  let token = 0;
  let star = -1;
  let retry = 0;
  for (let at = 0; at < chars.length; ) {
    const current = tokens[token];
    if (current?.kind === 'star') {
      star = token;
      retry = at;
      token += 1;
    } else if (current?.takes(chars[at] ?? '')) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      retry += 1;
      at = retry;
      token = star + 1;
    } else return false;
  }
  return tokens.slice(token).every(({ kind }) => kind === 'star');
}

function tokenize(pattern: readonly string[]): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? '';
    const end = char === '[' ? setEnd(pattern, at) : -1;
    if (char === '*') tokens.push({ kind: 'star' });
    else if (char === '?') tokens.push({ kind: 'one', takes: () => true });
    else if (end > 0) {
      tokens.push({ kind: 'one', takes: set(pattern.slice(at + 1, end)) });
      at = end;
    } else tokens.push({ kind: 'one', takes: (other) => other === char });
  }
  return tokens;
}

/**
 * Where a set closes; -1 when it does not, and `[` stands for itself. A bracket right at the start belongs to the set.
 */
function setEnd(pattern: readonly string[], open: number): number {
  const first = pattern[open + 1] === '!' ? open + 2 : open + 1;
  return pattern.indexOf(']', pattern[first] === ']' ? first + 1 : first);
}

function set(content: readonly string[]): (char: string) => boolean {
  const negated = content[0] === '!';
  const members = negated ? content.slice(1) : content;
  const ranges: (readonly [from: number, to: number])[] = [];
  for (let at = 0; at < members.length; ) {
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    ranges.push([codePoint(members[at]), codePoint(members[isRange ? at + 2 : at])]);
    at += isRange ? 3 : 1;
  }
  return (char) => ranges.some(([from, to]) => codePoint(char) >= from && codePoint(char) <= to) !== negated;
}

const codePoint = (char: string | undefined): number => char?.codePointAt(0) ?? -1;
