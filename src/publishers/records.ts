/** Samples and events in the forms in which upstream's publishers write them. */
import { PolledSample } from '../messaging/polled-message.ts';
import { type Event, type NotificationSample, type Trait, traitTypes } from '../notification.ts';
import { reprOf } from '../python/text.ts';
import { jsonString, stringifyJson } from '../wire/json.ts';
import { createSigner, signedText } from '../wire/signature.ts';
import { isObject, type JsonObject, type JsonValue } from '../wire/value.ts';

/** A sample as upstream's `as_dict()`: for files and over HTTP. */
export function sampleDict(sample: NotificationSample): JsonObject {
  return {
    name: sample.name,
    type: sample.type,
    unit: sample.unit,
    volume: sample.volume,
    user_id: sample.userId,
    user_name: sample.userName,
    project_id: sample.projectId,
    project_name: sample.projectName,
    resource_id: sample.resourceId,
    timestamp: sample.timestamp,
    resource_metadata: sample.metadata,
    source: sample.source,
    id: sample.id,
    monotonic_time: null,
  };
}

/** Samples of one notification follow one another and share their metadata, which is most of their text. */
let latest: { readonly metadata: JsonObject; readonly text: string } | undefined;

function metadataText(metadata: JsonValue): string {
  if (!isObject(metadata)) return stringifyJson(metadata);
  if (latest?.metadata !== metadata) latest = { metadata, text: stringifyJson(metadata) };
  return latest.text;
}

/** {@link sampleDict} in JSON. */
export function sampleJson(sample: NotificationSample): string {
  if (sample instanceof PolledSample) return polledJson(sample);
  return (
    `{"name": ${jsonString(sample.name)}, "type": "${sample.type}", "unit": ${stringifyJson(sample.unit)}, ` +
    `"volume": ${stringifyJson(sample.volume)}, "user_id": ${stringifyJson(sample.userId)}, ` +
    `"user_name": ${stringifyJson(sample.userName)}, "project_id": ${stringifyJson(sample.projectId)}, ` +
    `"project_name": ${stringifyJson(sample.projectName)}, "resource_id": ${stringifyJson(sample.resourceId)}, ` +
    `"timestamp": ${stringifyJson(sample.timestamp)}, "resource_metadata": ${metadataText(sample.metadata)}, ` +
    `"source": ${stringifyJson(sample.source)}, "id": ${stringifyJson(sample.id)}, "monotonic_time": null}`
  );
}

/** The same, of parts that are text already. */
function polledJson({ raw }: PolledSample): string {
  return (
    `{"name": ${raw.name}, "type": ${raw.type}, "unit": ${raw.unit}, "volume": ${raw.volume}, ` +
    `"user_id": ${raw.userId}, "user_name": ${raw.userName}, "project_id": ${raw.projectId}, ` +
    `"project_name": ${raw.projectName}, "resource_id": ${raw.resourceId}, "timestamp": ${raw.timestamp}, ` +
    `"resource_metadata": ${raw.metadata}, "source": ${raw.source}, "id": ${raw.id}, "monotonic_time": null}`
  );
}

/** A sample as a metering message, for other agents; see WIRE of upstream's `meter_message_from_counter`. */
export type MeterMessages = (sample: NotificationSample) => JsonObject;

/** Signs with `secret`; `publisherId` is what only the TCP publisher adds. */
export function createMeterMessages(secret: string, publisherId?: string): MeterMessages {
  const sign = createSigner(secret);
  return (sample) => {
    const message = {
      source: sample.source,
      counter_name: sample.name,
      counter_type: sample.type,
      counter_unit: sample.unit,
      counter_volume: sample.volume,
      user_id: sample.userId,
      user_name: sample.userName,
      project_id: sample.projectId,
      project_name: sample.projectName,
      resource_id: sample.resourceId,
      timestamp: sample.timestamp,
      resource_metadata: sample.metadata,
      message_id: sample.id,
      monotonic_time: null,
      ...(publisherId === undefined ? {} : { publisher_id: publisherId }),
    };
    return { ...message, message_signature: sign(signedText(message)) };
  };
}

/** An event as upstream's `serialize()`: over HTTP and AMQP. */
export function eventMessage({ messageId, eventType, generated, traits, raw }: Event): JsonObject {
  return {
    message_id: messageId,
    event_type: eventType,
    generated,
    traits: traits.map(({ name, type, value }) => [name, traitTypes[type], value]),
    raw,
  };
}

/** {@link eventMessage}, signed. */
export function createEventMessages(secret: string): (event: Event) => JsonObject {
  const sign = createSigner(secret);
  return (event) => {
    const message = eventMessage(event);
    return { ...message, message_signature: sign(signedText(message)) };
  };
}

/** A time as Python's `str(datetime)` has it. */
function spaced(time: string): string {
  return time.replace('T', ' ');
}

function traitValue({ type, value }: Trait): JsonValue {
  return type === 'datetime' && typeof value === 'string' ? spaced(value) : value;
}

/** An event as upstream's `as_dict()` in JSON: for files. */
export function eventDictJson({ messageId, eventType, generated, traits, raw }: Event): string {
  let list = '';
  for (const trait of traits) {
    const { name, type } = trait;
    list += list === '' ? '' : ', ';
    list += `{"name": ${jsonString(name)}, "dtype": ${traitTypes[type]}, "value": ${stringifyJson(traitValue(trait))}}`;
  }
  return (
    `{"message_id": ${stringifyJson(messageId)}, "event_type": ${jsonString(eventType)}, ` +
    `"generated": "${spaced(generated)}", "traits": [${list}], "raw": ${stringifyJson(raw)}}`
  );
}

/** A sample as Python prints its dictionary. */
export function sampleRepr(sample: NotificationSample): string {
  return reprOf(sampleDict(sample));
}

/** An event as Python prints its dictionary. */
export function eventRepr({ messageId, eventType, generated, traits, raw }: Event): string {
  const list = traits.map(
    ({ name, type, value }) =>
      `{'name': ${reprOf(name)}, 'dtype': ${traitTypes[type]}, 'value': ${type === 'datetime' ? datetimeRepr(value) : reprOf(value)}}`,
  );
  return (
    `{'message_id': ${reprOf(messageId)}, 'event_type': ${reprOf(eventType)}, ` +
    `'generated': ${datetimeRepr(generated)}, 'traits': [${list.join(', ')}], 'raw': ${reprOf(raw)}}`
  );
}

/** `datetime.datetime(2026, 3, 1, 7, 0, 0, 250000)`: without seconds or microseconds where these are zero. */
function datetimeRepr(time: JsonValue): string {
  const parts = (typeof time === 'string' ? time : '').split(/[-T:.]/).map(Number);
  const shown = parts.length === 6 && parts[5] === 0 ? parts.slice(0, 5) : parts;
  return `datetime.datetime(${shown.join(', ')})`;
}
