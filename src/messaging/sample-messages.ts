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

/** A page that has grown larger than this is not kept. */
const PAGE_BYTES_MAX = 262_144;

/** Messages in the making. A sample that was added is bytes already, and not held any more. */
export interface Draft {
  add(sample: Sample): void;
  /** The messages, in order; the copies for several routing keys follow one another. Nothing is added after. */
  finish(): readonly OutgoingMessage[];
}

/** Returns the messages for a batch. */
export function createSampleMessages(
  options: SampleMessagesOptions,
): (batch: readonly Sample[]) => readonly OutgoingMessage[] {
  const begin = createDrafts(options);
  return (batch) => {
    const draft = begin();
    for (const sample of batch) draft.add(sample);
    return draft.finish();
  };
}

/** Returns what begins a draft. There may be several at a time. */
export function createDrafts(options: SampleMessagesOptions): () => Draft {
  const { format, routingKeys, maxMessageBytes, now = Date.now, uuid = randomUUID } = options;
  const form = payloadForm(format);
  const write = createSampleWriter(options.secret, form);
  const open = form === 'nested' ? '{\\"samples\\": [' : '{"samples": [';
  const close = ']}';
  const pages: Page[] = [];
  const bodies = createBodyPool(SPARE_BYTES);

  return function begin() {
    const page = pages.pop() ?? new Page();
    page.truncate(0);
    const messages: OutgoingMessage[] = [];
    /** Of the message that is on the page. */
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
      page.write(textBeforePayload(head, format) + open);
      ends = routingKeys.map(() => close + textAfterPayload({ ...head, uniqueId: uuid().replaceAll('-', '') }, format));
    }

    function end(): void {
      routingKeys.forEach((routingKey, index) => {
        const text = ends[index] ?? '';
        const body = bodyOf(bodies.take(page.length + text.length + FRAME_BYTES));
        body.set(page.view());
        body.write(text, page.length, 'latin1');
        messages.push({ routingKey, body, samples, done: () => bodies.give(body) });
      });
      page.truncate(0);
      samples = 0;
    }

    /** False for a sample that is refused, which leaves nothing behind. */
    function put(sample: Sample): boolean {
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

    return {
      add(sample) {
        const before = page.length;
        if (!put(sample)) return;
        if (samples > 0 && page.length + (ends[0]?.length ?? 0) > maxMessageBytes) {
          page.truncate(before);
          end();
          put(sample);
        }
        samples += 1;
      },
      finish() {
        if (samples > 0) end();
        if (page.size <= PAGE_BYTES_MAX) pages.push(page);
        return messages;
      },
    };
  };
}
