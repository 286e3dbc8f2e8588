/**
 * How a meter's attribute or a trait is taken from a notification: `payload.size`, or fields that a plugin works on.
 */
import { JsonPathError, type Path } from '../jsonpath/ast.ts';
import { findAll, pathOf } from '../jsonpath/evaluate.ts';
import { parsePath } from '../jsonpath/parser.ts';
import type { TraitPlugin } from '../notification.ts';
import { getKey } from '../python/value.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import type { TraitPluginFactory } from './trait-plugins.ts';

/** A definition that cannot be used. The message says why; whoever reads the file says which. */
export class DefinitionError extends Error {
  /** The keys to the place of the mistake, where it is known better than the definition as a whole. */
  readonly at: readonly string[];

  constructor(message: string, at: readonly string[] = []) {
    super(message);
    this.name = 'DefinitionError';
    this.at = at;
  }
}

/** Runs what reads the part of a definition to which the keys lead; its mistakes are there. */
export function readPart<T>(at: readonly string[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof DefinitionError && error.at.length === 0 ? new DefinitionError(error.message, at) : error;
  }
}

export type TraitPlugins = ReadonlyMap<string, TraitPluginFactory>;

export interface Definition {
  /** Set where the definition is not a path but a number, which is the value then. */
  readonly constant?: JsonValue;
  /** The value that counts, or null. Throws a `ValueError` where upstream's evaluation raises. */
  first(body: JsonObject): JsonValue;
  /** Every value, nulls included, for meters that a notification holds several of. */
  all(body: JsonObject): readonly JsonValue[];
}

/** Compiles what stands after a name in a definition file. Throws {@link DefinitionError}. */
export function compileDefinition(name: string, config: JsonValue, plugins: TraitPlugins): Definition {
  if (!isObject(config)) return fieldsDefinition(name, config, undefined);
  const fields = getKey(config, 'fields');
  if (fields === undefined) throw new DefinitionError(`${name}: the key fields is missing`);
  const plugin = getKey(config, 'plugin');
  return fieldsDefinition(name, fields, plugin === undefined ? undefined : makePlugin(name, plugin, plugins));
}

function makePlugin(name: string, config: JsonValue, plugins: TraitPlugins): TraitPlugin {
  const pluginName = typeof config === 'string' ? config : getKey(config, 'name');
  if (typeof pluginName !== 'string') throw new DefinitionError(`${name}: the plugin has no name`);
  const factory = plugins.get(pluginName);
  if (factory === undefined) {
    throw new DefinitionError(`${name}: no plugin is named ${pluginName}, only ${[...plugins.keys()].join(', ')}`);
  }
  const parameters = getKey(config, 'parameters') ?? null;
  if (parameters !== null && !isObject(parameters))
    throw new DefinitionError(`${name}: parameters has to be a mapping`);
  try {
    return factory(parameters ?? {});
  } catch (error) {
    throw new DefinitionError(
      `${name}: plugin ${pluginName}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function fieldsDefinition(name: string, fields: JsonValue, plugin: TraitPlugin | undefined): Definition {
  // A list of several is their union; the parentheses are part of what that means.
  const text = isList(fields) ? (fields.length === 1 ? fields[0] : unionText(name, fields)) : fields;
  if (typeof text === 'number' && Number.isInteger(text)) return constant(text);
  if (typeof text === 'bigint' || typeof text === 'boolean') return constant(text);
  if (typeof text !== 'string') throw new DefinitionError(`${name}: expected a path or an integer`);
  let path: Path;
  try {
    path = parsePath(text);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new DefinitionError(`${name}: the path '${text}' cannot be parsed: ${error.message}`);
  }
  return plugin === undefined ? pathDefinition(path) : pluginDefinition(name, path, plugin);
}

function unionText(name: string, fields: readonly JsonValue[]): string {
  return fields
    .map((field) => {
      if (typeof field !== 'string') throw new DefinitionError(`${name}: fields has to be a list of paths`);
      return `(${field})`;
    })
    .join('|');
}

function constant(value: JsonValue): Definition {
  return { constant: value, first: () => value, all: () => [value] };
}

function pathDefinition(path: Path): Definition {
  const all = (body: JsonObject) => findAll(path, body).map(({ value }) => value);
  const alternatives = plainPaths(path);
  if (alternatives !== undefined) return { first: (body) => firstOf(alternatives, body), all };
  return { first: (body) => findAll(path, body).find(({ value }) => value !== null)?.value ?? null, all };
}

/** The names of a plain path, from the top. */
type Steps = readonly string[];

/** Far more than anybody writes. */
const MOST_ALTERNATIVES = 32;

/** A path that is nothing but names and choices between them, which most are, as the plain paths in their order. */
function plainPaths(path: Path, first = true): readonly Steps[] | undefined {
  switch (path.type) {
    case 'root':
      return first ? [[]] : undefined;
    case 'fields':
      return path.names.includes('*') ? undefined : path.names.map((name) => [name]);
    case 'child':
    case 'union': {
      const isUnion = path.type === 'union';
      const left = plainPaths(path.left, first);
      const right = plainPaths(path.right, first && isUnion);
      if (left === undefined || right === undefined) return undefined;
      if (left.length * right.length > MOST_ALTERNATIVES) return undefined;
      return isUnion ? [...left, ...right] : left.flatMap((start) => right.map((rest) => [...start, ...rest]));
    }
    default:
      return undefined;
  }
}

function firstOf(alternatives: readonly Steps[], body: JsonObject): JsonValue {
  for (const steps of alternatives) {
    const value = follow(body, steps);
    if (value !== null) return value;
  }
  return null;
}

function follow(body: JsonObject, steps: Steps): JsonValue {
  let value: JsonValue = body;
  for (const step of steps) {
    const next = getKey(value, step);
    if (next === undefined) return null;
    value = next;
  }
  return value;
}

function pluginDefinition(name: string, path: Path, plugin: TraitPlugin): Definition {
  const run = (body: JsonObject, keepNulls: boolean) =>
    plugin
      .values(
        findAll(path, body)
          .filter(({ value }) => keepNulls || value !== null)
          .map((match) => ({ path: pathOf(match), value: match.value })),
      )
      .filter((value) => value !== null);
  return {
    first: (body) => run(body, false)[0] ?? null,
    all(body) {
      if (plugin.allValues !== true) throw new DefinitionError(`${name}: its plugin cannot give several values`);
      return run(body, true);
    },
  };
}
