import { type BaseIssue, type GenericSchema, safeParse } from 'valibot';
import { ConfigError } from '../errors.ts';
import { WholeFloat } from '../wire/value.ts';
import { readTextFile } from './text-file.ts';
import { readYamlDocument } from './yaml-document.ts';

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
  const { value, repeatedKeys, lineOf } = readYamlDocument(name, text, {
    value: (scalar) => (scalar instanceof WholeFloat ? scalar.value : scalar),
  });
  function part<P>(path: Path, value: unknown, schema: GenericSchema<unknown, P>): P {
    const checked = safeParse(schema, value, { message: wording });
    if (checked.success) return checked.output;
    const mistakes = checked.issues.map((issue) => {
      const inner = issue.path?.map(({ key }) => key as PropertyKey) ?? [];
      return `${name}:${lineOf([...path, ...inner])}: ${inner.length > 0 ? `${pathText(inner)}: ` : ''}${issue.message}`;
    });
    throw new ConfigError(mistakes.join('\n'));
  }
  const warnings = repeatedKeys.map(
    ({ key, line }) => `${name}:${line}: the key ${key} is there already, this one counts`,
  );
  return { value: part([], value, schema), warnings, lineOf, part };
}

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
