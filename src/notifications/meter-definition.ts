/** One entry of a file in `meters.d`: which notifications hold the meter, and where in them its parts are. */
import type { Notification, NotificationSample } from '../notification.ts';
import { matchAtStart } from '../python/regex.ts';
import { getKey, isTrue, ValueError } from '../python/value.ts';
import { isObject, type JsonObject, type JsonValue, keysOf } from '../wire/value.ts';
import { compileDefinition, type Definition, DefinitionError, readPart, type TraitPlugins } from './definition.ts';
import { keyText, textList, withTextKeys } from './definition-file.ts';
import type { SampleMaker } from './sample.ts';
import { type ReservedMetadata, userMetadata } from './user-metadata.ts';

const required = ['name', 'type', 'event_type', 'unit', 'volume', 'resource_id'] as const;
const attributes = ['name', 'type', 'volume', 'unit', 'timestamp', 'user_id', 'project_id', 'resource_id'] as const;
type Attribute = (typeof attributes)[number];

/** Makes the metadata of a sample. Definitions that ask for the same share one. */
export type MetadataTemplate = (body: JsonObject) => JsonObject;

/** Computes a template at most once per notification. */
type TemplateCache = (template: MetadataTemplate) => JsonObject;

export interface MeterDefinition {
  readonly name: JsonValue;
  matches(eventType: string): boolean;
  samples(notification: Notification, maker: SampleMaker, metadata: TemplateCache): readonly NotificationSample[];
}

export interface MeterCompiler {
  compile(config: JsonValue): MeterDefinition;
}

export function createMeterCompiler(plugins: TraitPlugins, reserved: ReservedMetadata): MeterCompiler {
  // Not what it looks like: the grammar reads this as ctxt.(user_id|ctxt).user. Upstream's samples depend on it.
  const fallbackUser = compileDefinition('user_id', 'ctxt.user_id|ctxt.user', plugins);
  const fallbackProject = compileDefinition('project_id', 'ctxt.project_id|ctxt.tenant_id', plugins);
  const templates = new Map<string, MetadataTemplate>();

  function template(config: JsonObject): MetadataTemplate {
    const metadata = getKey(config, 'metadata');
    const parts = [isTrue(metadata) ? metadata : {}, getKey(config, 'user_metadata') ?? null];
    const key = JSON.stringify(parts, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    const known = templates.get(key);
    if (known !== undefined) return known;
    const made = compileTemplate(parts[0] ?? {}, parts[1] ?? null, plugins, reserved);
    templates.set(key, made);
    return made;
  }

  return {
    compile(config) {
      if (!isObject(config)) throw new DefinitionError('expected a mapping');
      const missing = required.filter((key) => !isTrue(getKey(config, key)));
      if (missing.length > 0) throw new DefinitionError(`missing: ${missing.join(', ')}`);
      const name = getKey(config, 'name') ?? null;
      const lookup = textList(getKey(config, 'lookup') ?? []);
      if (lookup === undefined) throw new DefinitionError('lookup: expected a list of attributes', ['lookup']);
      const type = getKey(config, 'type') ?? null;
      if (!lookup.includes('type') && type !== 'gauge' && type !== 'delta' && type !== 'cumulative') {
        throw new DefinitionError(`type: expected gauge, delta or cumulative, got ${String(type)}`, ['type']);
      }
      const patterns = readPart(['event_type'], () => eventTypePatterns(getKey(config, 'event_type')));
      const definitions = new Map<Attribute, Definition>();
      for (const attribute of attributes) {
        const value = getKey(config, attribute);
        if (!isTrue(value)) continue;
        definitions.set(
          attribute,
          readPart([attribute], () => compileDefinition(attribute, value, plugins)),
        );
      }
      const parts: Parts = {
        defaults: { name, type, unit: withTextKeys(getKey(config, 'unit') ?? null) },
        definitions,
        fallbackUser,
        fallbackProject,
        template: template(config),
      };
      return {
        name,
        matches: (eventType) => patterns.some((pattern) => pattern.test(eventType)),
        samples: (notification, maker, metadata) =>
          lookup.length > 0
            ? lookedUp(parts, lookup, notification, maker, metadata)
            : [single(parts, notification, maker, metadata)],
      };
    },
  };
}

function eventTypePatterns(config: JsonValue | undefined): readonly RegExp[] {
  const patterns = textList(config);
  if (patterns === undefined) throw new DefinitionError('event_type: expected an expression or a list of them');
  return patterns.map((pattern) => {
    try {
      return matchAtStart(pattern);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DefinitionError(`event_type: '${pattern}' is not a regular expression: ${reason}`);
    }
  });
}

function compileTemplate(
  config: JsonValue,
  userConfig: JsonValue,
  plugins: TraitPlugins,
  reserved: ReservedMetadata,
): MetadataTemplate {
  if (!isObject(config)) throw new DefinitionError('metadata: expected a mapping', ['metadata']);
  const entries = keysOf(config).map(
    (key) =>
      [
        keyText(key),
        readPart(['metadata', key], () => compileDefinition(keyText(key), config[key] ?? null, plugins)),
      ] as const,
  );
  const user = isTrue(userConfig)
    ? readPart(['user_metadata'], () => compileDefinition('user_metadata', userConfig, plugins))
    : undefined;
  return (body) => {
    const metadata: Record<string, JsonValue> = {};
    for (const [key, definition] of entries) {
      const value = definition.first(body);
      if (isTrue(value)) metadata[key] = value;
    }
    const source = user?.first(body) ?? null;
    const own = isTrue(source) ? userMetadata(source, metadata, reserved) : undefined;
    if (own !== undefined) metadata['user_metadata'] = own;
    return metadata;
  };
}

interface Parts {
  readonly defaults: { readonly name: JsonValue; readonly type: JsonValue; readonly unit: JsonValue };
  readonly definitions: ReadonlyMap<Attribute, Definition>;
  readonly fallbackUser: Definition;
  readonly fallbackProject: Definition;
  readonly template: MetadataTemplate;
}

function single(
  { defaults, definitions, fallbackUser, fallbackProject, template }: Parts,
  { body }: Notification,
  maker: SampleMaker,
  metadata: TemplateCache,
): NotificationSample {
  const first = (attribute: Attribute): JsonValue => definitions.get(attribute)?.first(body) ?? null;
  return maker.make({
    metadata: metadata(template),
    name: first('name') ?? defaults.name,
    type: first('type') ?? defaults.type,
    unit: first('unit') ?? defaults.unit,
    volume: first('volume'),
    timestamp: first('timestamp'),
    userId: first('user_id') ?? fallbackUser.first(body),
    projectId: first('project_id') ?? fallbackProject.first(body),
    resourceId: first('resource_id'),
  });
}

/** Several meters in one notification: the first of each list belong together, the second, and so on. */
function lookedUp(
  { defaults, definitions, fallbackUser, fallbackProject, template }: Parts,
  lookup: readonly string[],
  { body }: Notification,
  maker: SampleMaker,
  metadata: TemplateCache,
): readonly NotificationSample[] {
  const shared = metadata(template);
  const values: Record<Attribute, readonly JsonValue[]> = {
    name: [defaults.name],
    type: [defaults.type],
    volume: [null],
    unit: [defaults.unit],
    timestamp: [null],
    user_id: [fallbackUser.first(body)],
    project_id: [fallbackProject.first(body)],
    resource_id: [null],
  };
  const constants = new Set<Attribute>();
  for (const attribute of attributes) {
    const definition = definitions.get(attribute);
    if (definition === undefined) continue;
    const isWanted = attribute === 'name' || lookup.includes(attribute);
    if (definition.constant !== undefined) {
      if (isWanted || isTrue(definition.constant)) constants.add(attribute);
      continue;
    }
    const found = definition.all(body);
    if (isWanted || found.length > 0) values[attribute] = found;
  }
  const count = values.name.length;
  if (count === 0) return [];
  for (const attribute of attributes) {
    if (constants.has(attribute)) throw new ValueError(`${attribute}: a constant cannot be that of several meters`);
    const { length } = values[attribute];
    const repeats = length === 1 && !lookup.includes(attribute);
    if (length !== count && !repeats) return skipped(attribute, values[attribute], count);
  }
  if (count > 1 && (lookup.includes('message') || lookup.includes('metadata'))) return skipped('metadata', [], count);
  const at = (attribute: Attribute, index: number): JsonValue => {
    const list = values[attribute];
    return (list.length === count ? list[index] : list[0]) ?? null;
  };
  return values.name.map((_, index) =>
    maker.make({
      metadata: shared,
      name: at('name', index),
      type: at('type', index),
      unit: at('unit', index),
      volume: at('volume', index),
      timestamp: at('timestamp', index),
      userId: at('user_id', index),
      projectId: at('project_id', index),
      resourceId: at('resource_id', index),
    }),
  );
}

/** Nobody can tell which belongs to which, so none is taken; whoever makes the samples counts it. */
export class IncompleteLookup extends Error {}

function skipped(attribute: string, values: readonly JsonValue[], count: number): never {
  const found = values.length === 1 && values[0] === null ? 0 : values.length;
  throw new IncompleteLookup(`only ${found} of ${count} meters have a ${attribute}`);
}
