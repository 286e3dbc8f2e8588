/** Regular expressions in Python's dialect, as the definitions of meters and paths have them. */

interface Translation {
  readonly source: string;
  readonly flags: string;
}

const globalFlags: Readonly<Record<string, string>> = { i: 'i', s: 's', m: 'm', u: '', a: '' };

/** Whether a pattern outside a class means the same in both languages, or what to put in its place. */
function outside(pattern: string, at: number): readonly [replacement: string, length: number] | undefined {
  const rest = pattern.slice(at, at + 4);
  if (rest.startsWith('(?P<')) return ['(?<', 4];
  if (rest.startsWith('(?P=')) {
    const end = pattern.indexOf(')', at);
    if (end > 0) return [`\\k<${pattern.slice(at + 4, end)}>`, end + 1 - at];
  }
  if (rest.startsWith('(?#')) {
    const end = pattern.indexOf(')', at);
    if (end > 0) return ['', end + 1 - at];
  }
  if (rest.startsWith('\\A')) return ['^', 2];
  if (rest.startsWith('\\Z')) return ['(?![\\s\\S])', 2];
  // Python's `$` also matches before a newline at the end.
  if (rest.startsWith('$')) return ['(?=\\n?(?![\\s\\S]))', 1];
  // Python may leave the lower bound of a repetition away.
  if (/^\{,\d*\}/.test(pattern.slice(at))) return ['{0,', 2];
  // Python's dot stops at \n alone; JavaScript's also at \r, U+2028 and U+2029.
  if (rest.startsWith('.')) return ['[^\\n]', 1];
  return undefined;
}

const classEscapes: Readonly<Record<string, string>> = { d: '\\p{Nd}', w: '\\p{L}\\p{N}_' };
const escapes: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: '[\\p{L}\\p{N}_]',
  W: '[^\\p{L}\\p{N}_]',
};

function escaped(letter: string, inClass: boolean): string {
  const known = (inClass ? classEscapes : escapes)[letter];
  if (known !== undefined) return known;
  // In Unicode mode JavaScript takes an escape only where it means something; Python takes any punctuation.
  return /[\^$\\.*+?()[\]{}|/]/.test(letter) || /[a-zA-Z0-9]/.test(letter) || (inClass && letter === '-')
    ? `\\${letter}`
    : letter;
}

function translate(pattern: string): Translation {
  let flags = 'u';
  let body = pattern;
  const leading = /^\(\?([aimsu]+)\)/.exec(pattern);
  if (leading !== null) {
    body = pattern.slice(leading[0].length);
    for (const flag of leading[1] ?? '') flags += globalFlags[flag] ?? '';
  }
  let source = '';
  let inClass = false;
  for (let at = 0; at < body.length; ) {
    const character = body[at] ?? '';
    const special = inClass ? undefined : outside(body, at);
    if (
      special !== undefined &&
      !(character === '$' && flags.includes('m')) &&
      !(character === '.' && flags.includes('s'))
    ) {
      source += special[0];
      at += special[1];
    } else if (character === '\\') {
      source += escaped(body[at + 1] ?? '', inClass);
      at += 2;
    } else if (!inClass && character === '[') {
      inClass = true;
      const start = /^\[\^?\]?/.exec(body.slice(at))?.[0] ?? '[';
      source += start.endsWith(']') ? `${start.slice(0, -1)}\\]` : start;
      at += start.length;
    } else if (inClass && character === '[') {
      source += '\\[';
      at++;
    } else {
      if (inClass && character === ']') inClass = false;
      // A brace that is no quantifier is itself in Python and an error in JavaScript's Unicode mode.
      const literalBrace = !inClass && /[{}]/.test(character) && !/^\{\d*,?\d*\}/.test(body.slice(at));
      const closing = character === '}' && /\{\d*,?\d*$/.test(body.slice(0, at));
      source += literalBrace && !closing ? `\\${character}` : character;
      at++;
    }
  }
  return { source, flags };
}

/** Compiles a pattern for `re.match`: anchored at the start only. Throws a SyntaxError. */
export function matchAtStart(pattern: string): RegExp {
  const { source, flags } = translate(pattern);
  return new RegExp(`^(?:${source})`, flags.replace('m', ''));
}

/** Compiles `re.sub(pattern, template, text)`. Throws a SyntaxError. */
export function substitution(pattern: string, template: string): (text: string) => string {
  const { source, flags } = translate(pattern);
  const regex = new RegExp(source, `${flags}g`);
  const parts = templateParts(template);
  return (text) =>
    text.replace(regex, (...args: unknown[]) => {
      const named = args.at(-1);
      const groups = typeof named === 'object' && named !== null ? new Map(Object.entries(named)) : undefined;
      return parts
        .map((part) => {
          if ('text' in part) return part.text;
          const found = /^\d+$/.test(part.group) ? args[Number(part.group)] : groups?.get(part.group);
          return typeof found === 'string' ? found : '';
        })
        .join('');
    });
}

type TemplatePart = { readonly text: string } | { readonly group: string };

function templateParts(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  const pattern = /\\(?:g<([^>]+)>|([1-9][0-9]?)|([\s\S]))|[^\\]+/g;
  for (const match of template.matchAll(pattern)) {
    const group = match[1] ?? match[2];
    if (group !== undefined) parts.push({ group });
    else if (match[3] !== undefined) parts.push({ text: templateEscape(match[3]) });
    else parts.push({ text: match[0] });
  }
  return parts;
}

function templateEscape(letter: string): string {
  const known: Readonly<Record<string, string>> = {
    n: '\n',
    t: '\t',
    r: '\r',
    '0': '\0',
    '\\': '\\',
    f: '\f',
    v: '\v',
  };
  const text = known[letter];
  if (text !== undefined) return text;
  if (/[A-Za-z]/.test(letter)) throw new SyntaxError(`bad escape \\${letter} in a replacement`);
  return `\\${letter}`;
}
