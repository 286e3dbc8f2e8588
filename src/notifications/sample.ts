/** Samples of notifications. */
import { hash } from 'node:crypto';
import type { Notification, NotificationSample } from '../notification.ts';
import { parseDateTime, zonedIso } from '../python/datetime.ts';
import { isTrue, ValueError } from '../python/value.ts';
import type { SampleType } from '../sample.ts';
import { isObject, type JsonObject, type JsonValue, keysOf, rememberKeyOrder } from '../wire/value.ts';

/** What an endpoint says of a sample; the rest comes from the notification. */
export interface SampleFields {
  readonly name: JsonValue;
  readonly type: JsonValue;
  readonly unit: JsonValue;
  readonly volume: JsonValue;
  readonly userId: JsonValue;
  readonly projectId: JsonValue;
  readonly resourceId: JsonValue;
  /** In place of the notification's own, where it says something. */
  readonly timestamp?: JsonValue;
  /** In place of the payload, where there is any. */
  readonly metadata?: JsonObject;
}

/** Makes the samples of one notification; what they share is made once. */
export interface SampleMaker {
  make(fields: SampleFields): NotificationSample;
}

/** What a sample takes from the notification: of `Notification`, or of what an endpoint found within one. */
export interface SampleOrigin {
  readonly payload: JsonValue;
  readonly publisherId: JsonValue;
  readonly eventType: JsonValue;
  readonly timestamp: JsonValue;
}

const INDEX = /^[0-9]/;
const DAYS_TO_1970 = 141_427n;
const TICKS_PER_SECOND = 10_000_000n;

export function createSampleMaker(origin: SampleOrigin, source: string, ids: SampleIds): SampleMaker {
  let ownMetadata: JsonObject | undefined;
  const times = new Map<JsonValue, string>();

  return {
    make({ name, type, metadata, timestamp, ...fields }) {
      ownMetadata ??= payloadMetadata(origin);
      const when = timestamp !== undefined && isTrue(timestamp) ? timestamp : origin.timestamp;
      let iso = times.get(when);
      if (iso === undefined) {
        iso = zonedIso(parseDateTime(when));
        times.set(when, iso);
      }
      const checkedName = sampleName(name);
      return {
        id: ids.next(checkedName, fields.resourceId, iso),
        name: checkedName,
        type: sampleType(type),
        unit: fields.unit,
        volume: fields.volume,
        userId: fields.userId,
        userName: null,
        projectId: fields.projectId,
        projectName: null,
        resourceId: fields.resourceId,
        timestamp: iso,
        metadata: metadata !== undefined && keysOf(metadata).length > 0 ? metadata : ownMetadata,
        source,
      };
    },
  };
}

export function sampleName(name: JsonValue): string {
  if (typeof name === 'string') return name;
  throw new ValueError('the name of a sample is not a text');
}

export function sampleType(type: JsonValue): SampleType {
  if (type === 'gauge' || type === 'delta' || type === 'cumulative') return type;
  throw new ValueError('the type of a sample is not gauge, delta or cumulative');
}

/** The payload, where it is a dictionary, and who sent what. */
function payloadMetadata({ payload, eventType, publisherId }: SampleOrigin): JsonObject {
  const own = { event_type: eventType, host: publisherId };
  if (!isObject(payload)) return own;
  const metadata = { ...payload, ...own };
  const keys = keysOf(payload);
  if (keys.some((key) => INDEX.test(key))) rememberKeyOrder(metadata, [...new Set([...keys, ...Object.keys(own)])]);
  return metadata;
}

export interface SampleIds {
  next(name: string, resourceId: JsonValue, timestamp: JsonValue): string;
}

/**
 * Ids of the form that upstream gives them, UUIDs of version 1, but the same each time that the broker delivers the
 * notification: the time is the sample's own, and the rest is a hash of what it is and of which message.
 */
export function createIds({ identity }: Pick<Notification, 'identity'>): SampleIds {
  const seen = new Map<string, number>();
  const times = new Map<JsonValue, string>();
  return {
    next(name, resourceId, timestamp) {
      const key = `${identity}\n${name}\n${typeof resourceId === 'string' ? resourceId : ''}`;
      const count = seen.get(key) ?? 0;
      seen.set(key, count + 1);
      let time = times.get(timestamp);
      if (time === undefined) {
        time = timeFields(timestamp);
        times.set(timestamp, time);
      }
      const digest = hash('md5', count === 0 ? key : `${key}\n${count}`, 'hex');
      const variant = ((Number.parseInt(digest.slice(0, 1), 16) & 3) | 8).toString(16);
      // The lowest bit of the node's first byte says that it is not the address of a network card.
      const node = (Number.parseInt(digest.slice(5, 6), 16) | 1).toString(16);
      return `${time}-${variant}${digest.slice(1, 4)}-${digest.slice(4, 5)}${node}${digest.slice(6, 16)}`;
    },
  };
}

function timeFields(timestamp: JsonValue): string {
  let ticks = 0n;
  try {
    const { seconds, micros, offsetMinutes } = parseDateTime(timestamp);
    const since1582 = BigInt(seconds - offsetMinutes * 60) + DAYS_TO_1970 * 86_400n;
    ticks = BigInt.asUintN(60, since1582 * TICKS_PER_SECOND + BigInt(micros) * 10n);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
  }
  const hex = ticks.toString(16).padStart(15, '0');
  return `${hex.slice(7)}-${hex.slice(3, 7)}-1${hex.slice(0, 3)}`;
}
