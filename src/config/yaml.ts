import { type BaseIssue, type GenericSchema, safeParse } from 'valibot';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { ConfigError, describeError } from '../errors.ts';
import { plainScalar } from '../python/yaml-scalar.ts';
import { WholeFloat } from '../wire/value.ts';
import { readTextFile } from './text-file.ts';

type Path = readonly PropertyKey[];

export interface YamlFile<T> {
  readonly value: T;
  /** One line for each key that comes twice. */
  readonly warnings: readonly string[];
  /** The line where a path such as `['sources', 0, 'meters']` is written, or the nearest part of it that is there. */
  lineOf(path: Path): number;
  /** Checks a part of it by itself. Throws {@link ConfigError} with one line for each mistake. */
  part<P>(path: Path, value: unknown, schema: GenericSchema<unknown, P>): P;
}

/** Reads a YAML file as PyYAML would, and checks it. Throws {@link ConfigError} with one line for each mistake. */
export function readYamlFile<T>(path: string, schema: GenericSchema<unknown, T>): YamlFile<T> {
  const file = readTextFile(path);
  if ('problem' in file) throw new ConfigError(file.problem);
  return parseYaml(path, file.text, schema);
}

export function parseYaml<T>(name: string, text: string, schema: GenericSchema<unknown, T>): YamlFile<T> {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  // YAML 1.1 for merge keys and sets; string keys keep `on` what it looks like.
  const document = parseDocument(text, {
    version: '1.1',
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    const told = syntax.map(({ code, message, pos }) => `${name}:${lineAt(pos[0])}: ${syntaxMessage(code, message)}`);
    throw new ConfigError([...new Set(told)].join('\n'));
  }

  readScalars(document);
  const warnings = repeatedKeys(document).map(
    ({ key, offset }) => `${name}:${lineAt(offset)}: the key ${key} is there already, this one counts`,
  );
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // An alias without its anchor, or so many aliases that they would fill the memory.
    throw new ConfigError(`${name}: not valid YAML: ${uncapitalized(describeError(error))}`, { cause: error });
  }
  const lineOf = (path: Path): number => lineAt(offsetOf(document.contents, path, (node) => node.resolve(document)));
  function part<P>(path: Path, value: unknown, schema: GenericSchema<unknown, P>): P {
    const checked = safeParse(schema, value, { message: wording });
    if (checked.success) return checked.output;
    const mistakes = checked.issues.map((issue) => {
      const inner = issue.path?.map(({ key }) => key as PropertyKey) ?? [];
      return `${name}:${lineOf([...path, ...inner])}: ${inner.length > 0 ? `${pathText(inner)}: ` : ''}${issue.message}`;
    });
    throw new ConfigError(mistakes.join('\n'));
  }
  return { value: part([], raw, schema), warnings, lineOf, part };
}

/** What a text without quotes is to PyYAML differs from YAML 1.1: `y`, `.` and `1e3` are texts. */
function readScalars(document: Document): void {
  visit(document, {
    Scalar(role, node) {
      // A merge key is a symbol.
      const isPlain = node.type === 'PLAIN' && node.tag === undefined && typeof node.value !== 'symbol';
      if (role === 'key' || !isPlain) return;
      const value = plainScalar(node.source ?? '');
      node.value = value instanceof WholeFloat ? value.value : value;
    },
  });
}

/** Of two equal keys in one mapping PyYAML takes the last. */
function repeatedKeys(document: Document): readonly { readonly key: string; readonly offset: number }[] {
  const repeated: { key: string; offset: number }[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key) || typeof key.value !== 'string') continue;
        if (seen.has(key.value)) repeated.push({ key: key.value, offset: key.range?.[0] ?? 0 });
        seen.add(key.value);
      }
    },
  });
  return repeated;
}

/** What is wrong, for people; `code` and `message` are those of the YAML parser. */
export function syntaxMessage(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'expected one document, got several';
  if (code === 'TAG_RESOLVE_FAILED') {
    const tag = message.replace(/^.*?: /, '');
    return `unknown tag ${tag}: a text that starts with ! has to be in quotes, as "${tag}"`;
  }
  return `not valid YAML: ${uncapitalized(message)}`;
}

const uncapitalized = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
};

/** For what a schema does not say itself. */
function wording({ type, expected, input, message }: BaseIssue<unknown>): string {
  const wanted = kinds[type] ?? expected;
  return wanted === null ? message : expectedGot(wanted, input);
}

/** The form of every message about a value. */
export function expectedGot(expected: string, got: unknown): string {
  return `expected ${expected}, got ${shown(got)}`;
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value instanceof Date) return 'a date';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}

function pathText(path: Path): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

function offsetOf(
  root: unknown,
  path: Path,
  resolve: (alias: Extract<Node, { resolve: unknown }>) => Node | undefined,
): number {
  let node: unknown = root;
  let offset = 0;
  const at = (found: unknown): void => {
    if (isScalar(found) || isMap(found) || isSeq(found) || isAlias(found)) offset = found.range?.[0] ?? offset;
  };
  at(node);
  for (const part of path) {
    if (isAlias(node)) node = resolve(node);
    if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      at(node);
    } else if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => isScalar(key) && key.value === part);
      if (pair === undefined) break;
      at(pair.key);
      node = pair.value;
    } else break;
  }
  return offset;
}
