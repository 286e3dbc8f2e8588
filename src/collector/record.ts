/** A sample as the collector keeps it: checked, and its metadata as text. */
import { type DateTime, naiveIso, parseDateTime, toUtc } from '../python/datetime.ts';
import type { Sample, SampleType } from '../sample.ts';
import { stringifyJson } from '../wire/json.ts';
import { isObject, type JsonValue, WholeFloat } from '../wire/value.ts';

export interface SampleRecord {
  readonly id: string;
  readonly meter: string;
  readonly type: SampleType;
  readonly unit: string;
  /** A bigint is an integer, a number a float. */
  readonly volume: number | bigint;
  readonly resourceId: string;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly userId: string | null;
  readonly userName: string | null;
  readonly source: string;
  /** Microseconds since 1970. */
  readonly time: number;
  /** JSON of an object. */
  readonly metadata: string;
}

/** What others call a sample, field by field: nothing about it is sure. */
export interface LooseSample {
  readonly id: JsonValue;
  readonly name: JsonValue;
  readonly type: JsonValue;
  readonly unit: JsonValue;
  readonly volume: JsonValue;
  readonly resourceId: JsonValue;
  readonly projectId: JsonValue;
  readonly projectName: JsonValue;
  readonly userId: JsonValue;
  readonly userName: JsonValue;
  readonly source: JsonValue;
  readonly timestamp: JsonValue;
  /** JSON text. */
  readonly metadata: string;
}

/** What came is no sample, and trying again would not change that. */
export class InvalidSample extends Error {}

/** Names and ids longer than this fit into no index of PostgreSQL. */
const LONGEST_TEXT = 600;
const LONGEST_METADATA = 1_000_000;
const NUMERIC = /^\s*[-+]?(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][-+]?[0-9]+)?\s*$/;
const MOST_DIGITS = 300;

/** Throws {@link InvalidSample} with the field that is wrong. */
export function checkedRecord(sample: LooseSample): SampleRecord {
  return {
    id: text(sample.id, 'message_id', true),
    meter: text(sample.name, 'counter_name', true),
    type: typeOf(sample.type),
    unit: textOrEmpty(sample.unit, 'counter_unit'),
    volume: volumeOf(sample.volume),
    resourceId: text(sample.resourceId, 'resource_id', true),
    projectId: textOrNull(sample.projectId, 'project_id'),
    projectName: textOrNull(sample.projectName, 'project_name'),
    userId: textOrNull(sample.userId, 'user_id'),
    userName: textOrNull(sample.userName, 'user_name'),
    source: textOrEmpty(sample.source, 'source'),
    time: timeOf(sample.timestamp),
    metadata: metadataOf(sample.metadata),
  };
}

const metadataTexts = new WeakMap<object, string>();

/** A sample of our own pollsters. Throws {@link InvalidSample}: plugins may say anything. */
export function recordOf(sample: Sample): SampleRecord {
  let metadata = metadataTexts.get(sample.metadata);
  if (metadata === undefined) {
    metadata = stringifyJson(sample.metadata);
    metadataTexts.set(sample.metadata, metadata);
  }
  const { volume } = sample;
  const float = typeof volume === 'number' && Number.isInteger(volume);
  return checkedRecord({ ...sample, volume: float ? new WholeFloat(volume) : volume, metadata });
}

/** Microseconds since 1970 of a date as Python writes or reads it. Throws `ValueError` of python/value. */
export function microsOf(date: JsonValue): number {
  const { seconds, micros } = toUtc(parseDateTime(date));
  return seconds * 1_000_000 + micros;
}

/** UTC as Python's `isoformat` prints it without a zone. */
export function isoOf(time: number): string {
  const seconds = Math.floor(time / 1_000_000);
  const when: DateTime = { seconds, micros: Math.round(time - seconds * 1_000_000), offsetMinutes: 0 };
  return naiveIso(when);
}

function timeOf(value: JsonValue): number {
  let time: number;
  try {
    time = microsOf(value);
  } catch (error) {
    throw new InvalidSample(`timestamp: expected an ISO 8601 date, got ${shown(value)}`, { cause: error });
  }
  if (!Number.isSafeInteger(time)) throw new InvalidSample(`timestamp: out of range: ${shown(value)}`);
  return time;
}

function typeOf(value: JsonValue): SampleType {
  if (value === 'gauge' || value === 'delta' || value === 'cumulative') return value;
  throw new InvalidSample(`counter_type: expected gauge, delta or cumulative, got ${shown(value)}`);
}

/** Python senders write numbers as text and as booleans, too: for them these are numbers. */
function volumeOf(value: JsonValue): number | bigint {
  const problem = () => new InvalidSample(`counter_volume: expected a finite number, got ${shown(value)}`);
  if (typeof value === 'bigint') {
    if (value.toString().length > MOST_DIGITS) throw problem();
    return value;
  }
  if (typeof value === 'boolean') return value ? 1n : 0n;
  // Minus zero is zero.
  if (value instanceof WholeFloat) return value.value + 0;
  if (typeof value === 'number' && Number.isFinite(value)) return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' && value.length <= MOST_DIGITS) {
    const match = NUMERIC.exec(value);
    if (match !== null) {
      const float = match[1] !== undefined || match[2] !== undefined || match[3] !== undefined;
      if (!float) return BigInt(value.trim().replace(/^\+/, ''));
      if (Number.isFinite(Number(value))) return Number(value);
    }
  }
  throw problem();
}

function text(value: JsonValue, field: string, needed = false): string {
  if (typeof value !== 'string' || (needed && value === ''))
    throw new InvalidSample(`${field}: expected a text, got ${shown(value)}`);
  if (value.length > LONGEST_TEXT) throw new InvalidSample(`${field}: longer than ${LONGEST_TEXT} characters`);
  // PostgreSQL cannot store it.
  if (value.includes('\0')) throw new InvalidSample(`${field}: has a NUL character`);
  return value;
}

function textOrNull(value: JsonValue, field: string): string | null {
  return value === null ? null : text(value, field);
}

function textOrEmpty(value: JsonValue, field: string): string {
  return value === null ? '' : text(value, field);
}

function metadataOf(json: string): string {
  if (json.length > LONGEST_METADATA)
    throw new InvalidSample(`resource_metadata: longer than ${LONGEST_METADATA} characters`);
  if (json.startsWith('{')) return json;
  // What is nothing to Python passes as an empty object.
  if (json === 'null' || json === '') return '{}';
  throw new InvalidSample(`resource_metadata: expected an object, got ${json.slice(0, 40)}`);
}

function shown(value: JsonValue): string {
  if (isObject(value)) return 'an object';
  return stringifyJson(value).slice(0, 60);
}
