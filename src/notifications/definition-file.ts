/**
 * Files with definitions, read as PyYAML reads them. Other than in configuration files, it matters here whether a
 * value is `1`, `1.0` or `"1"`, and keys are not only texts: the plugin `map` has tables from numbers and booleans.
 */
import { LineCounter, parseDocument, visit } from 'yaml';
import { readTextFile } from '../config/text-file.ts';
import { ConfigError, describeError } from '../errors.ts';
import { isList, type JsonValue, WholeFloat } from '../wire/value.ts';

/** What stands before a key that is no text; the rest is its value in JSON. */
const TYPED_KEY = '\0';

export interface DefinitionFile {
  readonly path: string;
  readonly value: JsonValue;
  /** The line on which the entry of a list starts, by the path to it. */
  lineOf(path: readonly (string | number)[]): number;
}

/** Throws {@link ConfigError} for what is not YAML. */
export function readDefinitionFile(path: string): DefinitionFile {
  const file = readTextFile(path);
  if ('problem' in file) throw new ConfigError(file.problem);
  return parseDefinitions(path, file.text);
}

function parseDefinitions(path: string, text: string): DefinitionFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.1', lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    throw new ConfigError(`${path}:${lines.linePos(mistake.pos[0]).line}: not valid YAML: ${mistake.message}`);
  }
  visit(document, {
    Scalar(role, node) {
      node.value = pythonScalar(node.value, node.source);
      if (role !== 'key' || typeof node.value === 'string' || typeof node.value === 'symbol') return;
      node.value = `${TYPED_KEY}${node.value instanceof WholeFloat ? node.value.value : String(node.value)}`;
    },
  });
  let value: JsonValue;
  try {
    value = plainValue(document.toJS({ maxAliasCount: 1000 }));
  } catch (error) {
    throw new ConfigError(`${path}: not valid YAML: ${describeError(error)}`, { cause: error });
  }
  return {
    path,
    value,
    lineOf(steps) {
      const node = document.getIn(steps, true);
      const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
      return Array.isArray(range) ? lines.linePos(Number(range[0])).line : 1;
    },
  };
}

function pythonScalar(value: unknown, source: string | undefined): unknown {
  // PyYAML leaves these texts alone, other than the letter of the standard.
  if (typeof value === 'boolean' && source !== undefined && /^[yn]$/i.test(source)) return source;
  if (typeof value === 'number' && Number.isInteger(value) && source !== undefined && /[.eE]/.test(source)) {
    return /^0x/i.test(source) ? value : new WholeFloat(value);
  }
  return value;
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

/** A key as the value that stands in the file. */
export function keyValue(key: string): JsonValue {
  if (!key.startsWith(TYPED_KEY)) return key;
  const text = key.slice(1);
  if (text === 'null' || text === 'undefined') return null;
  return text === 'true' || text === 'false' ? text === 'true' : Number(text);
}

/** Texts of an entry that is one or a list of them; undefined where it is anything else. */
export function textList(value: JsonValue | undefined): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (value === undefined || !isList(value)) return undefined;
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length ? texts : undefined;
}
