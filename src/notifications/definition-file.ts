/**
 * Files with definitions, read as PyYAML reads them. Other than in configuration files, it matters here whether a
 * value is `1`, `1.0` or `"1"`, and keys are not only texts: the plugin `map` has tables from numbers and booleans.
 */
import { readTextFile } from '../config/text-file.ts';
import { readYamlDocument } from '../config/yaml-document.ts';
import { ConfigError } from '../errors.ts';
import { integerValue } from '../python/value.ts';
import { isList, isObject, type JsonValue, keysOf, WholeFloat } from '../wire/value.ts';
import { readyDefinitions } from './ready-definitions.ts';

/** What stands before a key that is no text; the rest is its value in JSON. */
const TYPED_KEY = '\0';

export interface DefinitionFile {
  readonly path: string;
  readonly value: JsonValue;
  /** The line where a path is written, or the nearest part of it that is there. */
  lineOf(path: readonly (string | number)[]): number;
}

/** Throws {@link ConfigError} for what is not YAML. */
export function readDefinitionFile(path: string): DefinitionFile {
  const file = readTextFile(path);
  if ('problem' in file) throw new ConfigError(file.problem);
  const value = readyDefinitions(file.text);
  if (value === undefined) return parseDefinitions(path, file.text);
  return { path, value, lineOf: (steps) => parseDefinitions(path, file.text).lineOf(steps) };
}

/** Reads the text of the file named. */
export function parseDefinitions(path: string, text: string): DefinitionFile {
  const { value, lineOf } = readYamlDocument(path, text, {
    value: (scalar) => scalar,
    key: (scalar) => `${TYPED_KEY}${scalar instanceof WholeFloat ? scalar.value : String(scalar)}`,
  });
  return { path, value: plainValue(value), lineOf };
}

function plainValue(value: unknown): JsonValue {
  if (value === undefined || value === null) return null;
  if (value instanceof WholeFloat || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  // PyYAML makes dates of them, which nothing here can use.
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plainValue);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
}

/** A key as the text that JSON makes of it. */
export function keyText(key: string): string {
  return key.startsWith(TYPED_KEY) ? key.slice(1) : key;
}

/** The value with all of its keys as texts, for what goes into messages as it stands in the file. */
export function withTextKeys(value: JsonValue): JsonValue {
  if (isList(value)) return value.map(withTextKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(keysOf(value).map((key) => [keyText(key), withTextKeys(value[key] ?? null)]));
}

/** A key as the value that stands in the file. */
export function keyValue(key: string): JsonValue {
  if (!key.startsWith(TYPED_KEY)) return key;
  const text = key.slice(1);
  if (text === 'null' || text === 'undefined') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+$/.test(text) ? integerValue(BigInt(text)) : Number(text);
}

/** Texts of an entry that is one or a list of them; undefined where it is anything else. */
export function textList(value: JsonValue | undefined): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (value === undefined || !isList(value)) return undefined;
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length ? texts : undefined;
}
