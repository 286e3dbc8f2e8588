/** Samples out of messages: what polling agents send, and what pipelines publish. */
import { timingSafeEqual } from 'node:crypto';
import { describeError } from '../errors.ts';
import type { Delivery } from '../messaging/listener.ts';
import { decodeMessage, polledSamplesOf } from '../messaging/notification-message.ts';
import { partValue, type RawSample } from '../messaging/polled-message.ts';
import { getKey, typeName } from '../python/value.ts';
import { stringifyJson } from '../wire/json.ts';
import { createSigner, signedText } from '../wire/signature.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import { checkedRecord, InvalidSample, type SampleRecord } from './record.ts';

interface MessageSamples {
  /** Who sent them: `publisher_id`. */
  readonly agent: string;
  readonly records: readonly SampleRecord[];
  readonly unsigned: number;
  readonly badSignature: number;
  /** Why each of those is left out that are no samples. */
  readonly invalid: readonly string[];
}

/** Undefined for a message of another kind. Throws for one that cannot be read. */
export type MessageReader = (delivery: Delivery) => MessageSamples | undefined;

export interface ReaderOptions {
  /** Empty lets samples pass unsigned. */
  readonly secret: string;
  /** `[publisher_notifier] metering_topic`: the event type of what pipelines publish. */
  readonly meteringTopic: string;
  /** For samples that do not say where they come from. */
  readonly source: string;
}

const POLLED = 'telemetry.polling';

export function createMessageReader({ secret, meteringTopic, source }: ReaderOptions): MessageReader {
  const check = signatureCheck(secret);

  return (delivery) => {
    const { notification } = decodeMessage(delivery.body, delivery);
    if (notification === undefined) return undefined;
    const { eventType, publisherId } = notification;
    const published = eventType === meteringTopic || eventType.startsWith(`${meteringTopic}.`);
    if (!published && eventType !== POLLED) return undefined;
    const agent = typeof publisherId === 'string' && publisherId !== '' ? publisherId : 'unknown';
    const raw = published ? undefined : polledSamplesOf(notification)?.message.samples;
    if (raw !== undefined && secret === '') return collect(agent, raw, (sample) => rawRecord(sample, source));
    const list = published ? notification.payload : getKey(notification.payload, 'samples');
    if (list === undefined || !isList(list)) {
      throw new Error(`the payload of ${eventType} has no list of samples but a ${typeName(list ?? null)}`);
    }
    return collect(agent, list, (sample) => {
      if (!isObject(sample)) throw new InvalidSample(`a sample is a ${typeName(sample)}`);
      return check(sample) ?? sampleRecord(sample, source);
    });
  };
}

type Fault = 'unsigned' | 'bad signature';

function collect<T>(agent: string, samples: readonly T[], read: (sample: T) => SampleRecord | Fault): MessageSamples {
  const records: SampleRecord[] = [];
  const invalid: string[] = [];
  const faults = { unsigned: 0, 'bad signature': 0 };
  for (const sample of samples) {
    try {
      const result = read(sample);
      if (typeof result === 'string') faults[result] += 1;
      else records.push(result);
    } catch (error) {
      if (!(error instanceof InvalidSample)) throw error;
      invalid.push(describeError(error));
    }
  }
  return { agent, records, unsigned: faults.unsigned, badSignature: faults['bad signature'], invalid };
}

function signatureCheck(secret: string): (sample: JsonObject) => Fault | undefined {
  if (secret === '') return () => undefined;
  const sign = createSigner(secret);
  return (sample) => {
    const given = getKey(sample, 'message_signature');
    if (given === undefined || given === null || given === '') return 'unsigned';
    if (typeof given !== 'string') return 'bad signature';
    const expected = Buffer.from(sign(signedText(sample)), 'latin1');
    const actual = Buffer.from(given, 'utf8');
    return actual.length === expected.length && timingSafeEqual(actual, expected) ? undefined : 'bad signature';
  };
}

function sampleRecord(sample: JsonObject, source: string): SampleRecord {
  const field = (key: string): JsonValue => getKey(sample, key) ?? null;
  return checkedRecord({
    id: field('message_id'),
    name: field('counter_name'),
    type: field('counter_type'),
    unit: field('counter_unit'),
    volume: field('counter_volume'),
    resourceId: field('resource_id'),
    projectId: field('project_id'),
    projectName: field('project_name'),
    userId: field('user_id'),
    userName: field('user_name'),
    source: field('source') || source,
    timestamp: field('timestamp'),
    metadata: stringifyJson(field('resource_metadata')),
  });
}

/** The same without reading the metadata, which is most of the text. */
function rawRecord(sample: RawSample, source: string): SampleRecord {
  return checkedRecord({
    id: partValue(sample.id),
    name: partValue(sample.name),
    type: partValue(sample.type),
    unit: partValue(sample.unit),
    volume: partValue(sample.volume),
    resourceId: partValue(sample.resourceId),
    projectId: partValue(sample.projectId),
    projectName: partValue(sample.projectName),
    userId: partValue(sample.userId),
    userName: partValue(sample.userName),
    source: partValue(sample.source) || source,
    timestamp: partValue(sample.timestamp),
    metadata: sample.metadata,
  });
}
