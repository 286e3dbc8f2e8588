/** The measures of a call, by resource and meter, and what is known of these resources. */
import type { NotificationSample } from '../notification.ts';
import { sampleDict } from '../publishers/records.ts';
import { compareStrings } from '../python/value.ts';
import { jsonString, stringifyJson } from '../wire/json.ts';
import type { JsonObject, JsonValue } from '../wire/value.ts';
import { WholeFloat } from '../wire/value.ts';
import type { ResourceDefinition } from './definitions.ts';

interface Measures {
  readonly policy: string;
  readonly unit: JsonValue;
  readonly values: { readonly timestamp: JsonValue; readonly value: JsonValue }[];
}

export interface BatchedResource {
  readonly id: string;
  readonly type: string;
  readonly userId: JsonValue;
  /** The project and the attributes: the later sample counts. */
  attributes: JsonObject;
  readonly meters: Map<string, Measures>;
}

/** By id. */
export type Batch = Map<string, BatchedResource>;

export interface BatchParts {
  readonly byMeter: ReadonlyMap<string, ResourceDefinition>;
  /** Hears of each sample that cannot be sent. */
  leftOut(sample: NotificationSample, reason: string): void;
}

/** Never waits. */
export function batchOf(samples: readonly NotificationSample[], { byMeter, leftOut }: BatchParts): Batch {
  const batch: Batch = new Map();
  const sendable: { readonly id: string; readonly sample: NotificationSample; readonly type: ResourceDefinition }[] =
    [];
  for (const sample of samples) {
    const type = byMeter.get(sample.name);
    const id = sample.resourceId;
    if (type === undefined) leftOut(sample, 'no resource type has this meter');
    else if (typeof id !== 'string' || id === '') leftOut(sample, 'it has no resource');
    else if (!isSendable(sample.volume)) leftOut(sample, 'its volume is no finite number');
    else sendable.push({ id, sample, type });
  }
  sendable.sort((left, right) => compareStrings(left.id, right.id));
  for (const { id, sample, type } of sendable) add(batch, id.replaceAll('/', '_'), sample, type);
  return batch;
}

/** Gnocchi would refuse the whole batch for it, without saying which it was. */
function isSendable(volume: JsonValue): boolean {
  const number = volume instanceof WholeFloat ? volume.value : typeof volume === 'string' ? Number(volume) : volume;
  return typeof number !== 'number' || Number.isFinite(number);
}

function add(batch: Batch, id: string, sample: NotificationSample, definition: ResourceDefinition): void {
  let resource = batch.get(id);
  if (resource === undefined) {
    resource = { id, type: definition.type, userId: sample.userId, attributes: {}, meters: new Map() };
    batch.set(id, resource);
  }
  const { projectId } = sample;
  resource.attributes = {
    ...resource.attributes,
    project_id: projectId,
    ...definition.attributes(sampleDict(sample)),
  };
  let measures = resource.meters.get(sample.name);
  if (measures === undefined) {
    measures = { policy: definition.metrics.get(sample.name) ?? '', unit: sample.unit, values: [] };
    resource.meters.set(sample.name, measures);
  }
  measures.values.push({ timestamp: sample.timestamp, value: sample.volume });
}

/** As the API takes it, in the order of the batch. */
export function batchJson(batch: Batch): string {
  const resources = [...batch.values()].map(({ id, meters }) => {
    const parts = [...meters].map(([meter, { policy, unit, values }]) => {
      const measures = values.map(
        ({ timestamp, value }) => `{"timestamp": ${stringifyJson(timestamp)}, "value": ${stringifyJson(value)}}`,
      );
      return (
        `${jsonString(meter)}: {"measures": [${measures.join(', ')}], ` +
        `"archive_policy_name": ${jsonString(policy)}, "unit": ${stringifyJson(unit)}}`
      );
    });
    return `${jsonString(id)}: {${parts.join(', ')}}`;
  });
  return `{${resources.join(', ')}}`;
}

/** What Gnocchi creates the resource of. */
export function resourceJson({ id, userId, attributes }: BatchedResource): JsonObject {
  return { id, user_id: userId, ...attributes };
}
