/** One entry of `event_definitions.yaml`: which notifications it is for, and the traits of their events. */
import { fnmatch } from '../config/match.ts';
import { type Event, type Notification, type Trait, type TraitType, traitTypes } from '../notification.ts';
import { naiveIso, parseDateTime, toUtc } from '../python/datetime.ts';
import { toFloat, toInteger } from '../python/number.ts';
import { cropped, textOf } from '../python/text.ts';
import { floatValue, getKey } from '../python/value.ts';
import { isList, isObject, type JsonObject, type JsonValue, keysOf } from '../wire/value.ts';
import { compileDefinition, type Definition, DefinitionError, readPart, type TraitPlugins } from './definition.ts';
import { keyText, textList } from './definition-file.ts';

export interface EventDefinition {
  /** Takes every notification there is. */
  readonly catchAll: boolean;
  matches(eventType: string): boolean;
  event(notification: Notification): Event;
}

interface TraitDefinition {
  readonly name: string;
  readonly type: TraitType;
  readonly value: Definition;
}

/** Every event has these, where the notification says them. */
const defaultTraits: JsonObject = {
  service: { type: 'text', fields: 'publisher_id' },
  request_id: { type: 'text', fields: 'ctxt.request_id' },
  project_id: { type: 'text', fields: ['payload.tenant_id', 'ctxt.project_id'] },
  user_id: { type: 'text', fields: ['payload.user_id', 'ctxt.user_id'] },
  tenant_id: { type: 'text', fields: ['payload.tenant_id', 'ctxt.project_id'] },
};

/** As long as the column that upstream once stored them in. */
const LONGEST_TEXT = 255;

/** Throws {@link DefinitionError}. */
export function compileEventDefinition(
  config: JsonValue,
  plugins: TraitPlugins,
  rawPriorities: readonly string[],
): EventDefinition {
  const eventTypes = textList(getKey(config, 'event_type'));
  if (eventTypes === undefined)
    throw new DefinitionError('event_type: expected a pattern or a list of them', ['event_type']);
  const traitConfig = traitMapping(getKey(config, 'traits'));
  const excluded = eventTypes.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const named = eventTypes.filter((pattern) => !pattern.startsWith('!'));
  const included = excluded.length > 0 && named.length === 0 ? ['*'] : named;

  // A trait of the same name takes the place of the default one.
  const traits = new Map<string, TraitDefinition>();
  for (const source of [defaultTraits, traitConfig]) {
    for (const key of keysOf(source)) {
      const name = keyText(key);
      traits.set(
        name,
        readPart(['traits', key], () => compileTrait(name, source[key] ?? null, plugins)),
      );
    }
  }
  const list = [...traits.values()];
  return {
    catchAll: included.includes('*') && excluded.length === 0,
    matches: (eventType) =>
      included.some((pattern) => fnmatch(eventType, pattern)) &&
      !excluded.some((pattern) => fnmatch(eventType, pattern)),
    event: (notification) => ({
      messageId: notification.messageId,
      eventType: notification.eventType,
      generated: naiveIso(toUtc(parseDateTime(notification.timestamp))),
      traits: list.flatMap((definition) => traitOf(definition, notification.body) ?? []),
      raw: rawPriorities.includes(notification.priority) ? notification.body : {},
    }),
  };
}

function traitMapping(config: JsonValue | undefined): JsonObject {
  // Nothing to go through is no mistake, whatever its type.
  if (config === '' || (config !== undefined && isList(config) && config.length === 0)) return {};
  if (config === undefined || !isObject(config)) throw new DefinitionError('traits: expected a mapping', ['traits']);
  return config;
}

function compileTrait(name: string, config: JsonValue, plugins: TraitPlugins): TraitDefinition {
  const value = compileDefinition(name, config, plugins);
  const said = getKey(config, 'type');
  const type = said === undefined ? 'text' : said;
  const known = typeof type === 'string' ? traitTypeOf(type.toLowerCase()) : undefined;
  if (known === undefined) {
    throw new DefinitionError(`${name}: type: expected ${Object.keys(traitTypes).join(', ')}, got ${textOf(type)}`);
  }
  return { name, type: known, value };
}

function traitTypeOf(name: string): TraitType | undefined {
  return name === 'text' || name === 'int' || name === 'float' || name === 'datetime' ? name : undefined;
}

function traitOf({ name, type, value: definition }: TraitDefinition, body: JsonObject): Trait | undefined {
  const value = definition.first(body);
  // Services send empty texts for dates that are not set.
  if (value === null || (type !== 'text' && value === '')) return undefined;
  return { name, type, value: converted(type, value) };
}

function converted(type: TraitType, value: JsonValue): JsonValue {
  switch (type) {
    case 'int':
      return toInteger(value);
    case 'float':
      return floatValue(toFloat(value));
    case 'datetime':
      return naiveIso(toUtc(parseDateTime(value)));
    case 'text':
      return cropped(textOf(value), LONGEST_TEXT);
  }
}
