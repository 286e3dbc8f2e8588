/** Samples of polling agents: they pass through as they are. */
import { polledSamplesOf } from '../messaging/notification-message.ts';
import {
  copied,
  isEmptyPart,
  type OwnParts,
  PolledSample,
  type PolledSamples,
  partValue,
  type RawSample,
} from '../messaging/polled-message.ts';
import type { Notification, NotificationSample } from '../notification.ts';
import type { NotificationEndpoint } from '../plugin.ts';
import { getKey, isTrue, typeName, ValueError } from '../python/value.ts';
import { jsonString } from '../wire/json.ts';
import { isList, isObject, type JsonValue } from '../wire/value.ts';
import { createIds, type SampleIds, sampleName, sampleType } from './sample.ts';
import type { SignatureCheck } from './signatures.ts';

export function telemetryEndpoint(source: string, signatures: SignatureCheck | undefined): NotificationEndpoint {
  return {
    eventTypes: ['telemetry.polling'],
    process(notification) {
      const polled = polledSamplesOf(notification);
      if (polled !== undefined) return passThrough(polled, notification, source, signatures);
      const samples = getKey(notification.payload, 'samples');
      // Nothing to go through is no mistake, whatever its type.
      if (samples === '' || (isObject(samples ?? null) && !isTrue(samples))) return [];
      if (samples === undefined || !isList(samples)) throw new ValueError('the payload has no list of samples');
      const ids = createIds(notification);
      const made: NotificationSample[] = [];
      for (const [index, sample] of samples.entries()) {
        if (signatures?.wants(index) && !signatures.passes(sample, notification.publisherId)) continue;
        made.push(polledSample(sample, source, ids));
      }
      return made;
    },
  };
}

function passThrough(
  polled: PolledSamples,
  notification: Notification,
  ownSource: string,
  signatures: SignatureCheck | undefined,
): readonly NotificationSample[] {
  const made: NotificationSample[] = [];
  const ids = createIds(notification);

  /** What has to say something, and does not, gets a value of ours. */
  function ownParts({ id, source, metadata, resourceId, timestamp }: RawSample, name: string): OwnParts | undefined {
    const [noId, noSource, noMetadata] = [isEmptyPart(id), isEmptyPart(source), isEmptyPart(metadata)];
    if (!noId && !noSource && !noMetadata) return undefined;
    return {
      ...(noId ? { id: jsonString(ids.next(name, partValue(resourceId), partValue(timestamp))) } : {}),
      ...(noSource ? { source: jsonString(ownSource) } : {}),
      ...(noMetadata ? { metadata: '{}' } : {}),
    };
  }

  for (const [index, part] of polled.message.samples.entries()) {
    const wanted = signatures?.wants(index) === true;
    if (wanted && !signatures.passes(partValue(part.text), notification.publisherId)) continue;
    const name = meterName(part.name);
    const type = sampleType(partValue(part.type));
    made.push(new PolledSample(name, type, polled, index, ownParts(part, name)));
  }
  return made;
}

const MOST_NAMES = 5000;
const names = new Map<string, string>();

/** The name in its text. Pipelines remember names, which therefore must not be parts of a message. */
function meterName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    const own = copied(text);
    name = sampleName(partValue(own));
    if (names.size >= MOST_NAMES) names.clear();
    names.set(own, name);
  }
  return name;
}

function polledSample(sample: JsonValue, source: string, ids: SampleIds): NotificationSample {
  if (!isObject(sample)) throw new ValueError(`a sample is a ${typeName(sample)}`);
  const required = (key: string): JsonValue => {
    const value = getKey(sample, key);
    if (value === undefined) throw new ValueError(`a sample has no ${key}`);
    return value;
  };
  const [id, metadata, sender] = [required('message_id'), required('resource_metadata'), required('source')];
  const name = sampleName(required('counter_name'));
  const resourceId = required('resource_id');
  const timestamp = required('timestamp');
  return {
    id: isTrue(id) ? id : ids.next(name, resourceId, timestamp),
    name,
    type: sampleType(required('counter_type')),
    unit: required('counter_unit'),
    volume: required('counter_volume'),
    userId: required('user_id'),
    userName: getKey(sample, 'user_name') ?? null,
    projectId: required('project_id'),
    projectName: getKey(sample, 'project_name') ?? null,
    resourceId,
    timestamp,
    metadata: isTrue(metadata) ? metadata : {},
    source: isTrue(sender) ? sender : source,
  };
}
