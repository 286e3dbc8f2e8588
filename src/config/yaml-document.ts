/** The text of a YAML file as PyYAML understands it, with the line of each part. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { ConfigError, describeError } from '../errors.ts';
import { plainScalar } from '../python/yaml-scalar.ts';
import type { JsonValue } from '../wire/value.ts';

export interface YamlDocument {
  readonly value: unknown;
  /** The keys that come twice in one mapping, in the order of the text, of which PyYAML takes the last. */
  readonly repeatedKeys: readonly RepeatedKey[];
  /** The line where a path such as `['sources', 0, 'meters']` is written, or the nearest part of it that is there. */
  lineOf(path: readonly PropertyKey[]): number;
}

interface RepeatedKey {
  readonly key: string;
  readonly line: number;
}

/** What becomes of what PyYAML makes of texts without quotes. */
export interface PlainScalars {
  value(value: JsonValue): unknown;
  /** The text of a key that is none. Left out, keys are the texts that are written, whatever they look like. */
  key?(value: Exclude<JsonValue, string>): string;
}

/** Most aliases of a file, each counted as often as what it stands for has aliases itself: nested ones multiply. */
const ALIASES_MAX = 1000;

/** Throws {@link ConfigError} with one line for each mistake. `name` is that of the file. */
export function readYamlDocument(name: string, text: string, scalars: PlainScalars): YamlDocument {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  // YAML 1.1 for merge keys and sets.
  const document = parseDocument(text, {
    version: '1.1',
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: scalars.key === undefined,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const mistakes = [...document.errors, ...document.warnings].map(
    ({ code, message, pos }) => `${name}:${lineAt(pos[0])}: ${syntaxMessage(code, message)}`,
  );
  if (mistakes.length > 0) throw new ConfigError([...new Set(mistakes)].join('\n'));

  readScalars(document, scalars);
  return {
    value: resolved(document, name),
    repeatedKeys: repeatedKeys(document).map(({ key, offset }) => ({ key, line: lineAt(offset) })),
    lineOf: (path) => lineAt(offsetOf(document, path)),
  };
}

/** What is wrong, for people; `code` and `message` are those of the YAML parser. */
function syntaxMessage(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'expected one document, got several';
  if (code === 'TAG_RESOLVE_FAILED') {
    const tag = message.replace(/^.*?: /, '');
    return `unknown tag ${tag}: a text that starts with ! has to be in quotes, as "${tag}"`;
  }
  return `not valid YAML: ${uncapitalized(message)}`;
}

const uncapitalized = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** What a text without quotes is to PyYAML differs from YAML 1.1: `y`, `.` and `1e3` are texts. */
function readScalars(document: Document, { value, key }: PlainScalars): void {
  visit(document, {
    Scalar(role, node) {
      // A merge key is a symbol.
      const isPlain = node.type === 'PLAIN' && node.tag === undefined && typeof node.value !== 'symbol';
      if (role !== 'key') {
        if (isPlain) node.value = value(plainScalar(node.source ?? ''));
      } else if (key !== undefined && typeof node.value !== 'symbol') {
        const found = isPlain ? plainScalar(node.source ?? '') : (node.value as JsonValue);
        node.value = typeof found === 'string' ? found : key(found);
      }
    },
  });
}

function resolved(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    // An alias without its anchor, or too many of them.
    throw new ConfigError(`${name}: not valid YAML: ${uncapitalized(describeError(error))}`, { cause: error });
  }
}

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
  // Mappings come before what is in them.
  return repeated.sort((a, b) => a.offset - b.offset);
}

/** Where the last part of the path begins that is there; of an entry of a mapping that is its key. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  const at = (found: unknown): void => {
    if (isScalar(found) || isMap(found) || isSeq(found) || isAlias(found)) offset = found.range?.[0] ?? offset;
  };
  at(node);
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
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
