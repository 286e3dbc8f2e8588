/** Tells the broker which of a channel's messages are done, many at a time. */
import type { Channel, Message } from 'amqplib';

export interface Acknowledger {
  /** Called for each message in the order in which the channel delivers them. */
  received(message: Message): void;
  /** The broker may forget it. It is told when enough are done, soon, or by {@link flush}. */
  done(message: Message): void;
  /** The broker shall deliver it again. It is told at once. */
  abandoned(message: Message): void;
  /** Tells what is left to tell. */
  flush(): void;
}

/**
 * Each time that the broker is told, it sends as many further messages: few at a time cost both sides more than their
 * work. So many are told of at once, in the turn of the event loop in which they are done; fewer after some
 * milliseconds.
 */
const ENOUGH = 24;
const LONGEST_WAIT = 5;

/**
 * Up to the oldest message in hand one word is enough for all; those after it are told of one by one, so that a slow
 * message holds up no others. `failed` is told when the channel is not usable any more.
 */
export function createAcknowledger(channel: Channel, failed: (error: unknown) => void): Acknowledger {
  /** Delivery tags in order. */
  const inHand = new Map<number, Message>();
  let finished = new Set<number>();
  let scheduled: NodeJS.Immediate | undefined;
  let waiting: NodeJS.Timeout | undefined;

  function flush(): void {
    clearImmediate(scheduled);
    clearTimeout(waiting);
    scheduled = undefined;
    waiting = undefined;
    const told = finished;
    if (told.size === 0) return;
    finished = new Set();
    let last: Message | undefined;
    for (const [tag, message] of inHand) {
      if (!told.delete(tag)) break;
      inHand.delete(tag);
      last = message;
    }
    attempt(() => {
      if (last !== undefined) channel.ack(last, true);
      for (const tag of told) {
        const message = inHand.get(tag);
        inHand.delete(tag);
        if (message !== undefined) channel.ack(message);
      }
    });
  }

  function attempt(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      failed(error);
    }
  }

  return {
    received(message) {
      inHand.set(message.fields.deliveryTag, message);
    },
    done(message) {
      finished.add(message.fields.deliveryTag);
      if (finished.size >= ENOUGH) scheduled ??= setImmediate(flush);
      else waiting ??= setTimeout(flush, LONGEST_WAIT);
    },
    abandoned(message) {
      inHand.delete(message.fields.deliveryTag);
      attempt(() => channel.nack(message, false, true));
    },
    flush,
  };
}
