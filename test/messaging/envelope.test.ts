import { describe, expect, it } from 'vitest';
import { unwrapMessage, wrapNotification } from '../../src/messaging/envelope.ts';

const ends = {
  messageId: 'm1',
  publisherId: 'ceilometer.polling',
  eventType: 'telemetry.polling',
  priority: 'SAMPLE',
  timestamp: '2026-11-22 14:31:46.773000',
  uniqueId: 'u1',
} as const;

describe('wrapNotification', () => {
  it('puts the message as text into envelope 2.0', () => {
    const body = wrapNotification(ends, { a: 'é"', n: 1 }, 'messagingv2');

    expect(body).toBe(
      '{"oslo.version": "2.0", "oslo.message": "{\\"message_id\\": \\"m1\\", \\"publisher_id\\": ' +
        '\\"ceilometer.polling\\", \\"event_type\\": \\"telemetry.polling\\", \\"priority\\": \\"SAMPLE\\", ' +
        '\\"payload\\": {\\"a\\": \\"\\\\u00e9\\\\\\"\\", \\"n\\": 1}, ' +
        '\\"timestamp\\": \\"2026-11-22 14:31:46.773000\\", \\"_unique_id\\": \\"u1\\"}"}',
    );
  });

  it('sends the message bare in the old format', () => {
    const body = wrapNotification(ends, [], 'messaging');

    expect(body).toBe(
      '{"message_id": "m1", "publisher_id": "ceilometer.polling", "event_type": "telemetry.polling", ' +
        '"priority": "SAMPLE", "payload": [], "timestamp": "2026-11-22 14:31:46.773000", "_unique_id": "u1"}',
    );
  });
});

describe('unwrapMessage', () => {
  it.each(['messagingv2', 'messaging'] as const)('reads what was wrapped as %s', (format) => {
    const message = unwrapMessage(wrapNotification(ends, { big: 18446744073709551615n }, format));

    expect(message).toEqual({
      message_id: 'm1',
      publisher_id: 'ceilometer.polling',
      event_type: 'telemetry.polling',
      priority: 'SAMPLE',
      payload: { big: 18446744073709551615n },
      timestamp: '2026-11-22 14:31:46.773000',
      _unique_id: 'u1',
    });
  });

  it.each([
    ['{"oslo.version": "2.0"}', { 'oslo.version': '2.0' }],
    ['{"oslo.version": "2.0", "oslo.message": "{}", "more": 1}', {}],
  ])('takes %s as oslo.messaging does', (body, message) => {
    expect(unwrapMessage(body)).toEqual(message);
  });

  it.each([
    ['{"oslo.version": "2.1", "oslo.message": "{}"}', 'unsupported envelope version "2.1"'],
    ['{"oslo.version": "3.0", "oslo.message": "{}"}', 'unsupported envelope version "3.0"'],
    ['{"oslo.version": 2.0, "oslo.message": "{}"}', 'unsupported envelope version 2'],
    ['{"oslo.version": "2.0", "oslo.message": {}}', 'the envelope holds no text'],
    ['{"oslo.version": "2.0", "oslo.message": "nope"}', 'invalid JSON at character 0'],
    ['{"oslo.version": "2.0", "oslo.message": "[]"}', 'the message in the envelope is no object'],
    ['"text"', 'the message is no object'],
    ['{', 'invalid JSON at character 1'],
  ])('refuses %s', (body, reason) => {
    expect(() => unwrapMessage(body)).toThrow(reason);
  });
});
