import type { Logger } from '../plugin.ts';

interface Tally {
  readonly messages: number;
  readonly samples: number;
}

/** Why samples were given up. */
export type DropReason =
  /** The queue was full while the broker was away or too slow. */
  | 'queue_full'
  /** The broker takes no message of this size. */
  | 'too_large'
  /** No queue took it for as long as `kombu_missing_consumer_retry_timeout`. */
  | 'unroutable'
  /** `[oslo_messaging_notifications] retry` was used up. */
  | 'retries'
  /** It could not be written as a message. */
  | 'invalid';

/** What became of the messages, counted since the start. */
export interface DeliveryStats {
  readonly connected: boolean;
  /** Connected, but the broker takes no messages for now. */
  readonly blocked: boolean;
  /** How often a connection was set up. */
  readonly connects: number;
  /** Put on the wire, each message once however often it was repeated. */
  readonly sent: Tally;
  /** Taken over by the broker. */
  readonly confirmed: Tally;
  /** Put on the wire again. */
  readonly resent: Tally;
  /** Sent back because no queue took them. */
  readonly returned: Tally;
  readonly dropped: Readonly<Record<DropReason, Tally>>;
  /** Neither confirmed nor dropped. */
  readonly queued: Tally & { readonly bytes: number };
}

/** A tally that counts. */
export class Counter implements Tally {
  messages = 0;
  samples = 0;

  add({ samples }: { readonly samples: number }): void {
    this.messages += 1;
    this.samples += samples;
  }
}

const explanations: Readonly<Record<DropReason, string>> = {
  queue_full: 'the queue is full, dropping the oldest samples',
  too_large: 'dropping samples in messages that are too large for the message broker',
  unroutable: 'dropping samples that no queue of the message broker takes',
  retries: 'dropping samples that were sent too often in vain',
  invalid: 'dropping samples that cannot be written as messages',
};

/** Counts what is dropped, and tells when it begins and when it ends rather than each time. */
export class DropLog {
  readonly counts: Readonly<Record<DropReason, Counter>>;
  readonly #log: Logger;
  readonly #current = new Map<DropReason, Counter>();

  constructor(log: Logger) {
    this.#log = log;
    this.counts = {
      queue_full: new Counter(),
      too_large: new Counter(),
      unroutable: new Counter(),
      retries: new Counter(),
      invalid: new Counter(),
    };
  }

  drop(reason: DropReason, message: { readonly samples: number }, fields: object = {}): void {
    this.counts[reason].add(message);
    let current = this.#current.get(reason);
    if (current === undefined) {
      current = new Counter();
      this.#current.set(reason, current);
      this.#log.error({ reason, ...fields }, explanations[reason]);
    }
    current.add(message);
  }

  /** Messages go through again. */
  recovered(): void {
    for (const [reason, { samples }] of this.#current) {
      // Not the broker's doing: these would begin and end in every cycle.
      if (reason === 'invalid' || reason === 'too_large') continue;
      this.#log.warn({ reason, samples }, 'dropped samples');
      this.#current.delete(reason);
    }
  }
}
