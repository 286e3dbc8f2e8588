/** `gnocchi_resources.yaml`: which meters belong to which type of resource, and what events do to resources. */
import { fileURLToPath } from 'node:url';
import { fnmatch } from '../config/match.ts';
import { findFile } from '../config/sources.ts';
import { expectedGot } from '../config/yaml.ts';
import { ConfigError, describeError } from '../errors.ts';
import type { Event } from '../notification.ts';
import { compileDefinition, type Definition, DefinitionError, type TraitPlugins } from '../notifications/definition.ts';
import { type DefinitionFile, keyText, readDefinitionFile, textList } from '../notifications/definition-file.ts';
import { traitPlugins } from '../notifications/trait-plugins.ts';
import { getKey } from '../python/value.ts';
import { jsonString } from '../wire/json.ts';
import { parseJson } from '../wire/json-parser.ts';
import { isList, isObject, type JsonObject, type JsonValue, keysOf } from '../wire/value.ts';

type Operation = 'create' | 'update' | 'delete';

export interface ResourceDefinition {
  readonly type: string;
  /** The archive policy of each meter. */
  readonly metrics: ReadonlyMap<string, string>;
  /** The attributes that a sample, in the form of `as_dict()`, says; those without a value are left out. */
  attributes(sample: JsonObject): JsonObject;
  /** The attributes that an event says, `id` among them where the event has it. */
  eventAttributes(event: Event): JsonObject;
  operation(eventType: string): Operation | undefined;
  /** Resources of other types that share the fate of one, found by a query. */
  readonly associated: readonly Associated[];
}

interface Associated {
  readonly type: string;
  /** The attribute that names the one; undefined where the query asks for more than that. */
  readonly attribute: string | undefined;
  query(id: string): JsonValue;
}

/** A resource that another one ends with. */
interface Owner {
  readonly type: string;
  readonly attribute: string;
}

export interface GnocchiDefinitions {
  /** As the API takes them. */
  readonly archivePolicies: readonly JsonObject[];
  readonly byMeter: ReadonlyMap<string, ResourceDefinition>;
  /** Of a type of resource: those that it ends with. */
  ownersOf(type: string): readonly Owner[];
  /** The first definition that has the event type. */
  byEvent(eventType: string): { readonly resource: ResourceDefinition; readonly operation: Operation } | undefined;
}

const SHIPPED = 'gnocchi_resources.yaml';
const DEFAULT_POLICY = 'ceilometer-low';
const plugins: TraitPlugins = new Map(Object.entries(traitPlugins));

/** The file of that name in the directories; where none is there under the default name, the one of this package. */
export function findDefinitions(name: string | undefined, searchPath: readonly string[]): string {
  const found = findFile(name ?? SHIPPED, searchPath);
  if (found !== undefined) return found;
  if (name === undefined || name === SHIPPED) {
    return fileURLToPath(new URL(`../../etc/ceilometer/${SHIPPED}`, import.meta.url));
  }
  throw new ConfigError(`resources_definition_file: ${name} does not exist, nor is it in ${searchPath.join(', ')}`);
}

/** Throws {@link ConfigError} with one line for each mistake. `policy` takes the place of that of every meter. */
export function readDefinitions(path: string, policy?: string): GnocchiDefinitions {
  const file = readDefinitionFile(path);
  const mistakes: string[] = [];
  const attempt = <T>(steps: readonly (string | number)[], read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      mistakes.push(`${path}:${file.lineOf(steps)}: ${error.message}`);
      return undefined;
    }
  };
  const usual = attempt(['archive_policy_default'], () =>
    text('archive_policy_default', getKey(file.value, 'archive_policy_default') ?? DEFAULT_POLICY),
  );
  const archivePolicies = listOf(file, 'archive_policies')
    .map((entry, index) => attempt(['archive_policies', index], () => mapping('archive_policies', entry)))
    .filter((entry) => entry !== undefined);
  const resources = listOf(file, 'resources')
    .map((entry, index) => attempt(['resources', index], () => compile(entry, usual ?? DEFAULT_POLICY, policy)))
    .filter((entry) => entry !== undefined);
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  return {
    archivePolicies,
    byMeter: new Map(resources.flatMap((one) => [...one.metrics.keys()].map((meter) => [meter, one] as const))),
    ownersOf: (type) =>
      resources.flatMap((owner) =>
        owner.associated.flatMap((one) =>
          one.type === type && one.attribute !== undefined ? [{ type: owner.type, attribute: one.attribute }] : [],
        ),
      ),
    byEvent(eventType) {
      for (const resource of resources) {
        const operation = resource.operation(eventType);
        if (operation !== undefined) return { resource, operation };
      }
      return undefined;
    },
  };
}

function listOf({ path, value, lineOf }: DefinitionFile, key: string): readonly JsonValue[] {
  const list = getKey(value, key) ?? [];
  if (isObject(value) && isList(list)) return list;
  throw new ConfigError(`${path}:${lineOf([key])}: expected a mapping with a list named ${key}`);
}

function compile(entry: JsonValue, usual: string, override: string | undefined): ResourceDefinition {
  const type = text('resource_type', getKey(entry, 'resource_type'));
  const attributes = compileAttributes(getKey(entry, 'attributes') ?? {});
  const operations = (['create', 'delete', 'update'] as const).map((operation) => {
    const key = `event_${operation}`;
    const patterns = textList(getKey(entry, key) ?? []);
    if (patterns === undefined) throw new DefinitionError(`${type}: ${key}: expected an event type or a list of them`);
    return { operation, patterns };
  });
  const traits = eventTraits(getKey(entry, 'event_attributes') ?? {});
  if (operations.some(({ patterns }) => patterns.length > 0) && !traits.has('id')) {
    throw new DefinitionError(`${type}: event_attributes has no id, which events need`);
  }
  // An older key, which upstream has count more than the override.
  const policy = getKey(entry, 'archive_policy') ?? override;
  return {
    type,
    metrics: readMetrics(type, getKey(entry, 'metrics'), usual, policy),
    associated: readAssociated(type, getKey(entry, 'event_associated_resources') ?? {}),
    operation: (eventType) =>
      operations.find(({ patterns }) => patterns.some((pattern) => fnmatch(eventType, pattern)))?.operation,
    attributes(sample) {
      const values: Record<string, JsonValue> = {};
      for (const [name, definition] of attributes) {
        const value = definition.first(sample);
        if (value !== null) values[name] = value;
      }
      return values;
    },
    eventAttributes(event) {
      // Of several traits of one name the last one counts.
      const found = new Map(event.traits.map(({ name, value }) => [name, value]));
      const values: Record<string, JsonValue> = {};
      for (const [name, trait] of traits) {
        const value = found.get(trait) ?? null;
        if (value !== null) values[name] = value;
      }
      return values;
    },
  };
}

function compileAttributes(config: JsonValue): readonly (readonly [name: string, definition: Definition])[] {
  const entries = mapping('attributes', config);
  return keysOf(entries).map((key) => {
    const name = keyText(key);
    return [name, compileDefinition(name, entries[key] ?? null, plugins)] as const;
  });
}

function eventTraits(config: JsonValue): ReadonlyMap<string, string> {
  const entries = mapping('event_attributes', config);
  return new Map(keysOf(entries).map((key) => [keyText(key), text(`event_attributes.${key}`, entries[key])]));
}

function readMetrics(
  type: string,
  config: JsonValue | undefined,
  usual: string,
  override: JsonValue | undefined,
): ReadonlyMap<string, string> {
  const names = textList(config);
  const entries = names === undefined ? mapping(`${type}: metrics`, config) : undefined;
  const policyOf = (key: string): string => {
    const own = entries && getKey(entries[key] ?? {}, 'archive_policy_name');
    return text(`${type}: metrics.${keyText(key)}.archive_policy_name`, override ?? own ?? usual);
  };
  return new Map((names ?? keysOf(entries ?? {})).map((key) => [keyText(key), policyOf(key)]));
}

function readAssociated(type: string, config: JsonValue): ResourceDefinition['associated'] {
  const entries = mapping(`${type}: event_associated_resources`, config);
  return keysOf(entries).map((key) => {
    const query = text(`${type}: event_associated_resources.${key}`, entries[key]);
    const filled = (id: string) => parseJson(query.replaceAll('%s', () => jsonString(id).slice(1, -1)));
    try {
      filled('');
    } catch (error) {
      throw new DefinitionError(`${type}: event_associated_resources.${key}: no JSON: ${describeError(error)}`);
    }
    return { type: keyText(key), attribute: comparedAttribute(filled('?')), query: filled };
  });
}

/** The attribute in `{"=": {attribute: id}}`. */
function comparedAttribute(query: JsonValue): string | undefined {
  const compared = isObject(query) && keysOf(query).length === 1 ? query['='] : undefined;
  if (compared === undefined || !isObject(compared)) return undefined;
  const [attribute, ...others] = keysOf(compared).map(keyText);
  return others.length === 0 && attribute !== undefined && compared[attribute] === '?' ? attribute : undefined;
}

function text(key: string, value: JsonValue | undefined): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new DefinitionError(`${key}: ${expectedGot('a text', value)}`);
}

function mapping(key: string, value: JsonValue | undefined): JsonObject {
  if (value !== undefined && isObject(value)) return value;
  throw new DefinitionError(`${key}: ${expectedGot('a mapping', value)}`);
}
