/** A delivery as a notification, read as oslo.messaging reads it. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { unzipSync } from 'node:zlib';
import type { Notification } from '../notification.ts';
import { getKey, typeName } from '../python/value.ts';
import { stringifyJson } from '../wire/json.ts';
import { parseExactJson } from '../wire/json-parser.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import { findPolledSamples, type PolledMessage, PolledSamples } from './polled-message.ts';

/** What AMQP says of a message beside its body. */
export interface MessageProperties {
  readonly contentType: unknown;
  readonly contentEncoding: unknown;
  readonly headers: Readonly<Record<string, unknown>> | undefined;
}

/** A body that is no notification, and never will be one. */
export class UndecodableMessage extends Error {}

export interface DecodedMessage {
  /** Undefined for a priority that nobody looks at, or knows: nothing has to be done about such a message. */
  readonly notification: Notification | undefined;
  /** Whether it is one of the priorities that there are. */
  readonly known: boolean;
  /** As written, in lower case; empty where there is none. */
  readonly priority: string;
  /** The id of this one sending, for dropping what the sender repeats. */
  readonly uniqueId: string | undefined;
}

const priorities = new Set(['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample']);
/** What endpoints and event definitions look at. */
const used = new Set(['info', 'sample', 'error']);
/** Compressed bodies that would grow beyond this are attacks. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Throws {@link UndecodableMessage}. */
export function decodeMessage(body: Buffer, properties: MessageProperties): DecodedMessage {
  const text = messageText(bodyText(body, properties));
  let polled = findPolledSamples(text);
  let message = parse(polled?.frame ?? text);
  if (polled !== undefined && !isPolledFrame(message)) [polled, message] = [undefined, parse(text)];
  if (!isObject(message)) {
    if (!isList(message)) throw new UndecodableMessage(`the message is a ${typeName(message)}`);
    return { notification: undefined, known: false, priority: '', uniqueId: undefined };
  }
  const said = getKey(message, 'priority');
  const priority = said === undefined ? '' : said;
  if (typeof priority !== 'string') throw new UndecodableMessage(`the priority is a ${typeName(priority)}`);
  const unique = getKey(message, '_unique_id');
  const uniqueId = typeof unique === 'string' && unique !== '' ? unique : undefined;
  const lower = priority.toLowerCase();
  const known = priorities.has(lower);
  const samples = polled && new PolledSamples(polled, () => findAgain(body, properties));
  const notification = used.has(lower) ? toNotification(message, lower, uniqueId, body, samples) : undefined;
  return { notification, known, priority: lower, uniqueId };
}

function findAgain(body: Buffer, properties: MessageProperties): PolledMessage {
  const found = findPolledSamples(messageText(bodyText(body, properties)));
  if (found === undefined) throw new Error('the samples of a message are gone');
  return found;
}

/**
 * Whether nothing after the samples takes the place of the payload or the event type: the last of equal keys counts.
 */
function isPolledFrame(frame: JsonValue): boolean {
  return getKey(frame, 'payload') === null && getKey(frame, 'event_type') === 'telemetry.polling';
}

function bodyText(body: Buffer, { contentType, contentEncoding, headers }: MessageProperties): string {
  if (contentType !== 'application/json')
    throw new UndecodableMessage(`content type ${String(contentType)} is not JSON`);
  const bytes = decompressed(body, headers?.['compression']);
  if (typeof contentEncoding === 'string' && /^(?:iso-8859-1|latin-?1)$/i.test(contentEncoding)) {
    return bytes.toString('latin1');
  }
  if (!isUtf8(bytes)) throw new UndecodableMessage('the body is not UTF-8');
  return bytes.toString('utf8');
}

function decompressed(body: Buffer, compression: unknown): Buffer {
  if (compression === undefined || compression === null) return body;
  if (typeof compression !== 'string' || !/gzip|zlib|deflate/i.test(compression)) {
    throw new UndecodableMessage(`unknown compression ${String(compression)}`);
  }
  try {
    return unzipSync(body, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw new UndecodableMessage('the body cannot be decompressed', { cause: error });
  }
}

function parse(text: string): JsonValue {
  // An empty body stands for an empty message.
  if (text === '') return {};
  try {
    return parseExactJson(text);
  } catch (error) {
    throw new UndecodableMessage('the body is not JSON', { cause: error });
  }
}

const ENVELOPE_START = '{"oslo.version": "2.0", "oslo.message": "';
const ENVELOPE_END = '"}';

/** The text of the message, out of its envelope where it has one. */
function messageText(body: string): string {
  if (body.startsWith(ENVELOPE_START) && body.endsWith(ENVELOPE_END)) {
    // As oslo.messaging writes it; where more stands in it, this is no string.
    try {
      const inner: unknown = JSON.parse(body.slice(ENVELOPE_START.length - 1, -1));
      if (typeof inner === 'string' && inner !== '') return inner;
    } catch {
      // Read in full, below.
    }
  }
  const outer = parse(body);
  if (!isObject(outer)) {
    if (isList(outer)) return body;
    throw new UndecodableMessage(`the message is a ${typeName(outer)}`);
  }
  const [version, inner] = [getKey(outer, 'oslo.version'), getKey(outer, 'oslo.message')];
  if (version === undefined || inner === undefined) return body;
  if (typeof version !== 'string' || !/^2\.0(?:\.0)?$/.test(version)) {
    throw new UndecodableMessage(`unsupported envelope version ${stringifyJson(version)}`);
  }
  if (typeof inner !== 'string' || inner === '') throw new UndecodableMessage('the envelope holds no message');
  return inner;
}

const CONTEXT = '_context_';
/** Where to send an answer is taken out of the context, also where a sender put it there. */
const answerKeys = new Set(['_context_msg_id', '_context_reply_q']);

function toNotification(
  message: JsonObject,
  priority: string,
  uniqueId: string | undefined,
  body: Buffer,
  polled: PolledSamples | undefined,
): Notification {
  const field = (key: string): JsonValue => getKey(message, key) ?? null;
  const entries: (readonly [string, JsonValue])[] = [];
  for (const key of Object.keys(message)) {
    if (key.startsWith(CONTEXT) && !answerKeys.has(key))
      entries.push([key.slice(CONTEXT.length), message[key] ?? null]);
  }
  const ctxt: JsonObject = Object.fromEntries([...entries, ['client_timeout', field('_timeout')]]);
  const eventType = field('event_type');
  // Upstream fails on such a message in every endpoint, again and again.
  if (typeof eventType !== 'string') throw new UndecodableMessage(`the event type is a ${typeName(eventType)}`);
  const [messageId, timestamp] = [field('message_id'), field('timestamp')];
  const publisherId = field('publisher_id');
  const identity = typeof messageId === 'string' && messageId !== '' ? messageId : uniqueId;
  const shared = {
    priority,
    eventType,
    publisherId,
    messageId,
    timestamp,
    identity: identity ?? createHash('sha1').update(body).digest('hex'),
  };
  const metadata = { message_id: messageId, timestamp };
  const rest = { ctxt, publisher_id: publisherId, event_type: eventType, metadata };
  if (polled === undefined) {
    const payload = field('payload');
    return { ...shared, payload, body: { ...rest, payload } };
  }
  return new PolledNotification(shared, rest, polled);
}

/** A notification of polled samples that were found in its text. Its payload is read when somebody asks for it. */
class PolledNotification implements Notification {
  readonly priority: string;
  readonly eventType: string;
  readonly publisherId: JsonValue;
  readonly messageId: JsonValue;
  readonly timestamp: JsonValue;
  readonly identity: string;
  readonly samples: PolledSamples;
  readonly #rest: JsonObject;
  #payload: JsonValue | undefined;

  constructor(shared: Omit<Notification, 'payload' | 'body'>, rest: JsonObject, samples: PolledSamples) {
    this.priority = shared.priority;
    this.eventType = shared.eventType;
    this.publisherId = shared.publisherId;
    this.messageId = shared.messageId;
    this.timestamp = shared.timestamp;
    this.identity = shared.identity;
    this.samples = samples;
    this.#rest = rest;
  }

  get payload(): JsonValue {
    this.#payload ??= parseExactJson(this.samples.message.payload);
    return this.#payload;
  }

  get body(): JsonObject {
    return { ...this.#rest, payload: this.payload };
  }
}

/** The samples of a notification of polled ones, where they were found in its text without reading it. */
export function polledSamplesOf(notification: Notification): PolledSamples | undefined {
  return notification instanceof PolledNotification ? notification.samples : undefined;
}
