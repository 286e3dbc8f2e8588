/** oslo.config's dialect of INI, as oslo_config/iniparser.py reads it. Pure: text in, assignments and mistakes out. */

export interface Assignment {
  readonly section: string;
  readonly key: string;
  /** Continuation lines are joined with newlines. */
  readonly value: string;
  readonly line: number;
}

interface IniSection {
  readonly name: string;
  readonly line: number;
}

/** Says what was expected, never what the line has: it may be a secret. */
interface IniError {
  readonly line: number;
  readonly message: string;
}

export interface Ini {
  /** In the order of the file; a repeated key is there as often as it is written. */
  readonly assignments: readonly Assignment[];
  readonly sections: readonly IniSection[];
  readonly errors: readonly IniError[];
}

/** What Python's str.strip() takes away; JavaScript's trim() differs in the separators and the byte order mark. */
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LEADING = new RegExp(`^[${SPACE}]+`, 'u');
const TRAILING = new RegExp(`(?<![${SPACE}])[${SPACE}]+$`, 'u');

const stripStart = (text: string): string => text.replace(LEADING, '');
const stripEnd = (text: string): string => text.replace(TRAILING, '');
const strip = (text: string): string => stripStart(stripEnd(text));

/** Never throws. After a mistake it goes on with the next line, so that all of them are found at once. */
export function parseIni(text: string): Ini {
  const assignments: Assignment[] = [];
  const sections: IniSection[] = [];
  const errors: IniError[] = [];
  /** Null before the first section; undefined after a broken header, whose keys nobody can place. */
  let section: string | null | undefined = null;
  let open: { key: string; values: string[]; line: number } | undefined;
  /** A broken line's continuation is part of that mistake. */
  let skipping = false;

  const flush = (): void => {
    if (open === undefined) return;
    const { key, values, line } = open;
    open = undefined;
    if (section === null) errors.push({ line, message: 'expected a section such as [DEFAULT] before the first key' });
    else if (section !== undefined) assignments.push({ section, key, value: values.join('\n'), line });
  };

  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const content = stripEnd(raw);
    if (content !== '' && (content.startsWith(' ') || content.startsWith('\t'))) {
      if (open !== undefined) open.values.push(stripStart(content));
      else if (!skipping) errors.push({ line, message: 'expected a key, got an indented line that continues none' });
      continue;
    }
    flush();
    skipping = false;
    if (content === '' || content.startsWith('#') || content.startsWith(';')) continue;

    const result = content.startsWith('[') ? header(content) : assignment(content);
    if ('name' in result) {
      section = result.name;
      sections.push({ name: result.name, line });
    } else if ('key' in result) {
      open = { key: result.key, values: [result.value], line };
    } else {
      errors.push({ line, message: result.expected });
      skipping = true;
      if (content.startsWith('[')) section = undefined;
    }
  }
  flush();
  return { assignments, sections, errors };
}

interface Expected {
  readonly expected: string;
}

function header(content: string): { name: string } | Expected {
  if (!content.endsWith(']')) return { expected: 'expected a section header that ends with ]' };
  if (content.length <= 2) return { expected: 'expected the name of a section between [ and ]' };
  return { name: content.slice(1, -1) };
}

function assignment(content: string): { key: string; value: string } | Expected {
  const at = content.search(/[=:]/);
  if (at < 0) return { expected: 'expected "key = value", got neither = nor :' };
  const key = strip(content.slice(0, at));
  if (key === '') return { expected: 'expected a key before = or :' };
  return { key, value: unquote(strip(content.slice(at + 1))) };
}

function unquote(value: string): string {
  const quoted = (value.startsWith('"') || value.startsWith("'")) && value.endsWith(value.charAt(0));
  return quoted ? value.slice(1, -1) : value;
}
