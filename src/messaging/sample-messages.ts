/** Batches of samples as the messages that a notification agent expects of a polling agent. */
import { randomUUID } from 'node:crypto';
import { isoTimestamp, type Sample } from '../sample.ts';
import { createSampleEncoder, type SampleText } from '../wire/meter-message.ts';
import { type MessageFormat, payloadForm, textAfterPayload, textBeforePayload } from './envelope.ts';
import type { OutgoingMessage } from './message-store.ts';

export interface SampleMessagesOptions {
  readonly secret: string;
  readonly format: MessageFormat;
  /** Each gets its own copy of every message. */
  readonly routingKeys: readonly string[];
  /** A message that would be larger is split; a single sample that is larger goes out alone. */
  readonly maxMessageBytes: number;
  /** Told of a sample that cannot be written, because its metadata is none; the others go on. */
  readonly refused: (sample: Sample, reason: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly uuid?: () => string;
}

/** Returns the messages for a batch, in order; the copies for several routing keys follow one another. */
export function createSampleMessages(options: SampleMessagesOptions): (batch: readonly Sample[]) => OutgoingMessage[] {
  const { format, routingKeys, maxMessageBytes, now = Date.now, uuid = randomUUID } = options;
  const form = payloadForm(format);
  const encode = createSampleEncoder(options.secret, form);
  const open = form === 'nested' ? '{\\"samples\\": [' : '{"samples": [';
  const close = ']}';
  // Samples are put down here one by one. To add up one string of them first would cost as much as all the rest.
  let page = Buffer.allocUnsafe(65_536);

  function encodeOrRefuse(sample: Sample): SampleText | undefined {
    try {
      return encode(sample);
    } catch (error) {
      options.refused(sample, error);
      return undefined;
    }
  }

  return function toMessages(batch) {
    const messages: OutgoingMessage[] = [];
    let length = 0;
    let samples = 0;
    let ends: readonly string[] = [];

    function room(needed: number): void {
      if (length + needed > page.length) page = Buffer.concat([page], (length + needed) * 2);
    }

    function put(text: string): void {
      room(text.length);
      length += page.write(text, length, 'latin1');
    }

    function putSample({ before, metadata, after }: SampleText): void {
      put(before);
      room(metadata.length);
      page.set(metadata, length);
      length += metadata.length;
      put(after);
    }

    function start(): void {
      const head = {
        messageId: uuid(),
        publisherId: 'ceilometer.polling',
        eventType: 'telemetry.polling',
        priority: 'SAMPLE',
        timestamp: isoTimestamp(now()).replace('T', ' '),
      } as const;
      length = 0;
      put(textBeforePayload(head, format) + open);
      ends = routingKeys.map(() => close + textAfterPayload({ ...head, uniqueId: uuid().replaceAll('-', '') }, format));
    }

    function finish(): void {
      routingKeys.forEach((routingKey, index) => {
        const end = ends[index] ?? '';
        const body = Buffer.allocUnsafe(length + end.length);
        body.set(page.subarray(0, length));
        body.write(end, length, 'latin1');
        messages.push({ routingKey, body, samples });
      });
      samples = 0;
    }

    for (const sample of batch) {
      const text = encodeOrRefuse(sample);
      if (text === undefined) continue;
      const size = text.before.length + text.metadata.length + text.after.length;
      const whole = length + 2 + size + (ends[0]?.length ?? 0);
      if (samples > 0 && whole > maxMessageBytes) finish();
      if (samples === 0) start();
      else put(', ');
      putSample(text);
      samples += 1;
    }
    if (samples > 0) finish();
    return messages;
  };
}
