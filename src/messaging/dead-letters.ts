/** The queue for messages that cannot be processed: each keeps its body, and says why in its headers. */
import type { ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import { describeError } from '../errors.ts';
import type { Logger } from '../plugin.ts';
import { createDropLog } from '../util/drop-log.ts';

export interface DeadLetterOptions {
  /** Undefined where there is to be none: then such messages are dropped. */
  readonly queue: string | undefined;
  readonly maxLength: number;
}

/** Headers are limited to less than 64 kB as a whole. */
const LONGEST_REASON = 2000;

export class DeadLetters {
  readonly #options: DeadLetterOptions;
  readonly #log: Logger;
  readonly #dropped: ReturnType<typeof createDropLog>;
  readonly #kept: ReturnType<typeof createDropLog>;
  #channel: ConfirmChannel | undefined;

  constructor(options: DeadLetterOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    this.#dropped = createDropLog(log, 'a notification cannot be processed and is dropped');
    this.#kept = createDropLog(log, 'a notification cannot be processed and goes to the dead letters');
  }

  /** Declares the queue. A broker that does not want it does not stop the rest. */
  async open(model: ChannelModel): Promise<void> {
    const { queue, maxLength } = this.#options;
    if (queue === undefined) return;
    const channel = await model.createConfirmChannel();
    channel.on('error', () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    try {
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-max-length': maxLength } });
      this.#channel = channel;
    } catch (error) {
      const fields = { queue, reason: describeError(error) };
      this.#log.error(fields, 'the queue for dead letters cannot be declared, such notifications are dropped');
    }
  }

  lost(): void {
    this.#channel = undefined;
  }

  /** Settles when the broker has the message, or when it is clear that it will not. Never rejects. */
  async put(message: ConsumeMessage, reason: string): Promise<void> {
    const { queue } = this.#options;
    const fields = { reason, exchange: message.fields.exchange, routingKey: message.fields.routingKey };
    const channel = this.#channel;
    if (queue === undefined || channel === undefined) {
      this.#dropped.note(reason, fields);
      return;
    }
    const { contentType, contentEncoding, headers } = message.properties;
    const options = {
      persistent: true,
      ...(typeof contentType === 'string' ? { contentType } : {}),
      ...(typeof contentEncoding === 'string' ? { contentEncoding } : {}),
      headers: {
        ...headers,
        'x-reason': reason.slice(0, LONGEST_REASON),
        'x-original-exchange': message.fields.exchange,
        'x-original-routing-key': message.fields.routingKey,
        'x-failed-at': new Date().toISOString(),
      },
    };
    const failure = await new Promise<unknown>((resolve) => {
      try {
        channel.sendToQueue(queue, message.content, options, (error: unknown) => resolve(error ?? undefined));
      } catch (error) {
        resolve(error);
      }
    });
    if (failure === undefined) this.#kept.note(reason, fields);
    else this.#dropped.note(reason, { ...fields, deadLetters: describeError(failure) });
  }
}
