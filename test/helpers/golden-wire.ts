/** What the real agent put on the wire, and the way from there back to samples. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Metadata, MetadataValue, Sample } from '../../src/sample.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isList, isObject, type JsonObject, type JsonValue, WholeFloat } from '../../src/wire/value.ts';

const fixtures = new URL('../fixtures/', import.meta.url);

function textOf(path: string): string {
  const bytes = readFileSync(new URL(path, fixtures));
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** A file with one JSON array of objects. */
export function goldenObjects(path: string): readonly JsonObject[] {
  const value = parseExactJson(textOf(path));
  if (!isList(value)) throw new Error(`${path} holds no list`);
  return value.filter(isObject);
}

export interface RawMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: JsonObject;
  readonly headers: JsonObject;
  readonly body: string;
}

/** A file with one captured AMQP message a line. */
export function goldenMessages(path: string): readonly RawMessage[] {
  const lines = textOf(path).trimEnd().split('\n').map(parseExactJson).filter(isObject);
  return lines.map((line) => ({
    exchange: string(line, 'exchange'),
    routingKey: string(line, 'routing_key'),
    properties: object(line, 'properties'),
    headers: object(line, 'headers'),
    body: Buffer.from(string(line, 'body_b64'), 'base64').toString('utf8'),
  }));
}

export function string(from: JsonObject, key: string): string {
  const value = from[key];
  if (typeof value !== 'string') throw new Error(`${key} is no string`);
  return value;
}

export function object(from: JsonObject, key: string): JsonObject {
  const value = from[key];
  if (value === undefined || !isObject(value)) throw new Error(`${key} is no object`);
  return value;
}

export function objects(from: JsonObject, key: string): readonly JsonObject[] {
  const value = from[key];
  if (value === undefined || !isList(value)) throw new Error(`${key} is no list`);
  return value.filter(isObject);
}

/** The sample that a message on the wire was made of. */
export function sampleOf(message: JsonObject): Sample {
  const type = string(message, 'counter_type');
  if (type !== 'gauge' && type !== 'delta' && type !== 'cumulative') throw new Error(`unknown type ${type}`);
  return {
    id: string(message, 'message_id'),
    name: string(message, 'counter_name'),
    type,
    unit: string(message, 'counter_unit'),
    volume: volumeOf(message['counter_volume']),
    resourceId: string(message, 'resource_id'),
    projectId: optional(message, 'project_id'),
    projectName: optional(message, 'project_name'),
    userId: optional(message, 'user_id'),
    userName: optional(message, 'user_name'),
    timestamp: string(message, 'timestamp'),
    monotonicTime: monotonicOf(message['monotonic_time']),
    metadata: metadataOf(object(message, 'resource_metadata')),
    source: string(message, 'source'),
  };
}

function optional(from: JsonObject, key: string): string | null {
  return from[key] === null ? null : string(from, key);
}

function volumeOf(value: JsonValue | undefined): number | bigint {
  if (value instanceof WholeFloat) return value.value;
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'number') throw new Error('counter_volume is no number');
  return Number.isInteger(value) ? BigInt(value) : value;
}

function monotonicOf(value: JsonValue | undefined): number | null {
  if (value === null) return null;
  if (value instanceof WholeFloat) return value.value;
  if (typeof value !== 'number') throw new Error('monotonic_time is no number');
  return value;
}

function metadataOf(message: JsonObject): Metadata {
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, metadataValue(value)]));
}

function metadataValue(value: JsonValue): MetadataValue {
  if (value instanceof WholeFloat) throw new Error('metadata cannot hold a whole float');
  if (isList(value)) return value.map(metadataValue);
  return isObject(value) ? metadataOf(value) : value;
}
