/** Batches of samples as the messages that a notification agent expects of a polling agent. */
import { randomUUID } from 'node:crypto';
import { isoTimestamp, type Sample } from '../sample.ts';
import { createSampleWriter } from '../wire/meter-message.ts';
import { Page } from '../wire/page.ts';
import { bodyOf, FRAME_BYTES } from './body-frame.ts';
import { createBodyPool } from './body-pool.ts';
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

/** Spare memory for bodies: as much as a broker that keeps up has on its way to it. */
const SPARE_BYTES = 2_097_152;

/** Returns the messages for a batch, in order; the copies for several routing keys follow one another. */
export function createSampleMessages(options: SampleMessagesOptions): (batch: readonly Sample[]) => OutgoingMessage[] {
  const { format, routingKeys, maxMessageBytes, now = Date.now, uuid = randomUUID } = options;
  const form = payloadForm(format);
  const write = createSampleWriter(options.secret, form);
  const open = form === 'nested' ? '{\\"samples\\": [' : '{"samples": [';
  const close = ']}';
  const page = new Page();
  const bodies = createBodyPool(SPARE_BYTES);

  return function toMessages(batch) {
    const messages: OutgoingMessage[] = [];
    let samples = 0;
    let ends: readonly string[] = [];

    function start(): void {
      const head = {
        messageId: uuid(),
        publisherId: 'ceilometer.polling',
        eventType: 'telemetry.polling',
        priority: 'SAMPLE',
        timestamp: isoTimestamp(now()).replace('T', ' '),
      } as const;
      page.truncate(0);
      page.write(textBeforePayload(head, format) + open);
      ends = routingKeys.map(() => close + textAfterPayload({ ...head, uniqueId: uuid().replaceAll('-', '') }, format));
    }

    function finish(): void {
      routingKeys.forEach((routingKey, index) => {
        const end = ends[index] ?? '';
        const body = bodyOf(bodies.take(page.length + end.length + FRAME_BYTES));
        body.set(page.view());
        body.write(end, page.length, 'latin1');
        messages.push({ routingKey, body, samples, done: () => bodies.give(body) });
      });
      samples = 0;
    }

    /** False for a sample that is refused, which leaves nothing behind. */
    function add(sample: Sample): boolean {
      const before = page.length;
      if (samples === 0) start();
      else page.write(', ');
      try {
        write(sample, page);
      } catch (error) {
        page.truncate(before);
        options.refused(sample, error);
        return false;
      }
      return true;
    }

    for (const sample of batch) {
      const before = page.length;
      if (!add(sample)) continue;
      if (samples > 0 && page.length + (ends[0]?.length ?? 0) > maxMessageBytes) {
        page.truncate(before);
        finish();
        add(sample);
      }
      samples += 1;
    }
    if (samples > 0) finish();
    return messages;
  };
}
