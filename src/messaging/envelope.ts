/** Notifications as oslo.messaging sends and reads them. */
import { jsonString, stringifyJson } from '../wire/json.ts';
import { parseJson } from '../wire/json-parser.ts';
import { isObject, type JsonObject, type JsonValue } from '../wire/value.ts';

/** `messagingv2` wraps a message in envelope 2.0; `messaging` sends it bare. */
export type MessageFormat = 'messagingv2' | 'messaging';

/** The AMQP properties of every message, all of them. */
export const MESSAGE_PROPERTIES = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: {},
  deliveryMode: 2,
  priority: 0,
};

/** What stands before the payload of a notification. */
export interface NotificationHead {
  readonly messageId: string;
  readonly publisherId: string;
  readonly eventType: string;
  readonly priority: 'AUDIT' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'CRITICAL' | 'SAMPLE';
}

/** What stands after the payload. */
export interface NotificationTail {
  /** UTC, as Python's `str(datetime)`: `2026-11-22 14:31:46.773685`. */
  readonly timestamp: string;
  /** Of one message on one topic, 32 hex digits: a listener remembers the last ones to drop repeats. */
  readonly uniqueId: string;
}

/** The text of a message up to its payload. What follows has to be JSON in the form of {@link payloadForm}. */
export function textBeforePayload(head: NotificationHead, format: MessageFormat): string {
  const form = payloadForm(format);
  const text = (value: string) => jsonString(value, form);
  return (
    `${format === 'messagingv2' ? '{"oslo.version": "2.0", "oslo.message": "' : ''}` +
    `{${text('message_id')}: ${text(head.messageId)}, ${text('publisher_id')}: ${text(head.publisherId)}, ` +
    `${text('event_type')}: ${text(head.eventType)}, ${text('priority')}: ${text(head.priority)}, ${text('payload')}: `
  );
}

/** The text of a message after its payload. */
export function textAfterPayload(tail: NotificationTail, format: MessageFormat): string {
  const form = payloadForm(format);
  const text = (value: string) => jsonString(value, form);
  return (
    `, ${text('timestamp')}: ${text(tail.timestamp)}, ${text('_unique_id')}: ${text(tail.uniqueId)}}` +
    `${format === 'messagingv2' ? '"}' : ''}`
  );
}

export function payloadForm(format: MessageFormat): 'nested' | 'plain' {
  return format === 'messagingv2' ? 'nested' : 'plain';
}

/** The body of a message. ASCII only. */
export function wrapNotification(
  ends: NotificationHead & NotificationTail,
  payload: JsonValue,
  format: MessageFormat,
): string {
  const middle = stringifyJson(payload, payloadForm(format));
  return textBeforePayload(ends, format) + middle + textAfterPayload(ends, format);
}

/** The message in a body, out of its envelope where it has one. Throws SyntaxError on what is no message. */
export function unwrapMessage(body: string): JsonObject {
  const outer = parseObject(body, 'message');
  const version = outer['oslo.version'];
  const inner = outer['oslo.message'];
  if (version === undefined || inner === undefined) return outer;
  if (typeof version !== 'string' || !/^2\.0(?:\.0)?$/.test(version)) {
    throw new SyntaxError(`unsupported envelope version ${stringifyJson(version)}`);
  }
  if (typeof inner !== 'string') throw new SyntaxError('the envelope holds no text');
  return parseObject(inner, 'message in the envelope');
}

function parseObject(text: string, what: string): JsonObject {
  const value = parseJson(text);
  if (!isObject(value)) throw new SyntaxError(`the ${what} is no object`);
  return value;
}
