/** From an entry to what is measured on it. */
import type { JsonObject, JsonValue } from '../../wire/value.ts';
import type { Definition } from './definition.ts';
import { EvaluationError } from './python/errors.ts';
import { stringOf } from './python/functions.ts';
import { dictOf, isDict, isEqual, isNumber, isSequence, lookUp, member, membersOf, typeName } from './python/values.ts';

/** A measurement before it is known to be a number: nested definitions capture any value. */
export interface Measurement {
  readonly name: string;
  readonly value: JsonValue;
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly resourceId: string | null;
  readonly metadata: JsonObject;
}

export interface MeasureHooks {
  /** What nested definitions add, over the entry with its `value` and `metadata`. */
  extra(sample: JsonObject): Promise<JsonObject>;
  /** Told of a value that `value_mapping` lacks. */
  unmapped(value: JsonValue): void;
  /** Told of an extra field that is not taken, as the entry has metadata of that name. */
  shadowed(field: string): void;
}

/** Throws `EvaluationError` where the entry lacks something. */
export async function* measure(
  definition: Definition,
  entry: JsonValue,
  hooks: MeasureHooks,
): AsyncGenerator<Measurement> {
  if (!isDict(entry)) throw new EvaluationError('TypeError', `expected an object as entry, got ${typeName(entry)}`);
  const sample = withIds(definition, entry);
  const { value: rule } = definition;
  if (rule.kind === 'single') {
    const raw = rule.attribute.read(sample);
    if (!isSkipped(definition, raw)) {
      yield measured(definition.name, mapped(definition, raw, hooks), definition, sample, hooks);
    }
    return;
  }
  const elements = rule.list.read(sample);
  if (!isSequence(elements)) {
    throw new EvaluationError('TypeError', `expected a list in ${rule.list.text}, got ${typeName(elements)}`);
  }
  for (const element of elements) {
    const label = lookUp(element, rule.label);
    if (typeof label !== 'string') {
      throw new EvaluationError('TypeError', `expected a text in ${rule.label}, got ${typeName(label)}`);
    }
    const value = rule.element.read(element);
    if (isSkipped(definition, value) || isSkipped(definition, label)) continue;
    const name = definition.name.replace(`{${rule.label}}`, () => label);
    yield measured(name, value, definition, sample, hooks);
  }
}

async function measured(
  name: string,
  value: JsonValue,
  definition: Definition,
  entry: JsonObject,
  hooks: MeasureHooks,
): Promise<Measurement> {
  // Upstream's: the value takes the place of what the entry has under that name, before its metadata is read.
  const valued = dictOf([...membersOf(entry), ['value', value]]);
  const metadata = metadataOf(definition, valued);
  const sample = dictOf([...membersOf(valued), ['metadata', dictOf(metadata)]]);
  for (const [field, extra] of Object.entries(await hooks.extra(sample))) {
    if (metadata.has(field)) hooks.shadowed(field);
    else metadata.set(field, extra);
  }
  return {
    name,
    value,
    userId: idIn(entry, 'user_id'),
    projectId: idIn(entry, 'project_id'),
    resourceId: idIn(entry, 'id'),
    metadata: dictOf(metadata),
  };
}

function withIds({ ids }: Definition, entry: JsonObject): JsonObject {
  if (ids.length === 0) return entry;
  let sample = entry;
  for (const [field, attribute] of ids) sample = dictOf([...membersOf(sample), [field, attribute.read(sample)]]);
  return sample;
}

function idIn(entry: JsonObject, field: string): string | null {
  const id = member(entry, field) ?? null;
  if (id === null || typeof id === 'string') return id;
  if (isNumber(id)) return stringOf(id);
  throw new EvaluationError('TypeError', `expected a text as ${field}, got ${typeName(id)}`);
}

function isSkipped({ skipValues }: Definition, value: JsonValue): boolean {
  return skipValues.some((skipped) => isEqual(skipped, value));
}

function mapped(definition: Definition, value: JsonValue, hooks: MeasureHooks): JsonValue {
  const { valueMapping, defaultValue } = definition;
  if (Object.keys(valueMapping).length === 0) return value;
  for (const key of keysOf(value)) {
    const found = member(valueMapping, key);
    if (found !== undefined) return found;
  }
  hooks.unmapped(value);
  return defaultValue;
}

/** How a file may spell a value as the key of a mapping, where every key is a text. */
function keysOf(value: JsonValue): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value === null) return ['null', '~', ''];
  if (typeof value === 'boolean') return value ? ['true', 'True', 'yes', '1'] : ['false', 'False', 'no', '0'];
  return isNumber(value) ? [stringOf(value), stringOf(value).replace(/\.0$/, '')] : [];
}

function metadataOf(definition: Definition, entry: JsonObject): Map<string, JsonValue> {
  const { metadataFields, metadataMapping, keepMapped } = definition;
  const metadata = new Map(metadataFields.map((attribute) => [attribute.text, attribute.read(entry)] as const));
  for (const key of [...metadata.keys()]) {
    const fresh = Object.hasOwn(metadataMapping, key) ? metadataMapping[key] : undefined;
    if (fresh === undefined) continue;
    // Another one may have been given this name just before.
    metadata.set(fresh, metadata.get(key) ?? null);
    if (!keepMapped) metadata.delete(key);
  }
  return metadata;
}
