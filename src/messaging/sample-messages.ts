/** Batches of samples as the messages that a notification agent expects of a polling agent. */
import { randomUUID } from 'node:crypto';
import { isoTimestamp, type Sample } from '../sample.ts';
import { createSampleWriter } from '../wire/meter-message.ts';
import { Page } from '../wire/page.ts';
import { bodyOf, END_BYTES } from './body-frame.ts';
import { createBodyPool, largestRoomOf } from './body-pool.ts';
import { type MessageFormat, payloadForm, textAfterPayload, textBeforePayload } from './envelope.ts';
import { HEAD_BYTES } from './frame-reader.ts';
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

/**
 * Spare memory for bodies: as much as a broker that keeps up has on its way to it, and as the meters of a namespace have
 * in the making.
 */
const SPARE_BYTES = 3_407_872;

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
  const bodies = createBodyPool(SPARE_BYTES);
  /** Of the message before: the next one is about as large. */
  let usualBytes = 0;

  /** The body of a message: its frame in memory that is not much larger. */
  function bodyOn(page: Page): Buffer {
    const frame = page.view();
    usualBytes = frame.length;
    if (page.size <= largestRoomOf(frame.length)) return bodyOf(frame);
    const copy = bodies.take(frame.length);
    copy.set(frame);
    bodies.give(frame);
    return bodyOf(copy);
  }

  return function begin() {
    const messages: OutgoingMessage[] = [];
    let page: Page | undefined;
    /** On the page. */
    let samples = 0;
    let ends: readonly string[] = [];

    /** A page for a message, with the room for its frame left out. */
    function start(): Page {
      const head = {
        messageId: uuid(),
        publisherId: 'ceilometer.polling',
        eventType: 'telemetry.polling',
        priority: 'SAMPLE',
        timestamp: isoTimestamp(now()).replace('T', ' '),
      } as const;
      const started = new Page(usualBytes, bodies);
      started.skip(HEAD_BYTES);
      started.write(textBeforePayload(head, format) + open);
      ends = routingKeys.map(() => close + textAfterPayload({ ...head, uniqueId: uuid().replaceAll('-', '') }, format));
      return started;
    }

    function end(filled: Page): void {
      const { length } = filled;
      routingKeys.forEach((routingKey, index) => {
        const text = ends[index] ?? '';
        const isLast = index === routingKeys.length - 1;
        const whole = isLast ? filled : new Page(length + text.length + END_BYTES, bodies);
        if (!isLast) whole.append(filled.view());
        whole.write(text);
        whole.skip(END_BYTES);
        const body = bodyOn(whole);
        messages.push({ routingKey, body, samples, done: () => bodies.give(body) });
      });
      page = undefined;
      samples = 0;
    }

    /** False for a sample that is refused, which leaves nothing behind. */
    function put(sample: Sample): boolean {
      page ??= start();
      const before = page.length;
      if (samples > 0) page.write(', ');
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
        const before = page?.length ?? 0;
        if (!put(sample) || page === undefined) return;
        if (samples > 0 && page.length - HEAD_BYTES + (ends[0]?.length ?? 0) > maxMessageBytes) {
          page.truncate(before);
          end(page);
          put(sample);
        }
        samples += 1;
      },
      finish() {
        if (page !== undefined && samples > 0) end(page);
        else if (page !== undefined) bodies.give(page.view());
        return messages;
      },
    };
  };
}
