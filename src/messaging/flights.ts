import type { StoredMessage } from './message-store.ts';

/** Unconfirmed messages at a time, whatever their size. */
const MOST_MESSAGES = 512;

/** The messages that are on the wire of one channel and not yet answered. */
export class Flights {
  readonly #mostBytes: number;
  readonly #messages = new Set<StoredMessage>();
  /** Those that came back. Their confirmation still follows, and means nothing. */
  readonly #returned = new Set<StoredMessage>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get full(): boolean {
    return this.#messages.size >= MOST_MESSAGES || this.#bytes >= this.#mostBytes;
  }

  add(message: StoredMessage): void {
    this.#messages.add(message);
    this.#bytes += message.body.length;
  }

  /** What the broker's answer to a message means; `unknown` when it is of a channel that is gone. */
  answered(message: StoredMessage, positive: boolean): 'taken' | 'refused' | 'unknown' {
    if (!this.#messages.delete(message)) return 'unknown';
    this.#bytes -= message.body.length;
    return this.#returned.delete(message) || !positive ? 'refused' : 'taken';
  }

  /** The message that came back, which the broker tells before it answers. */
  returned(routingKey: string, body: Buffer): StoredMessage | undefined {
    // Upstream's properties leave no room for an id.
    const same = (one: StoredMessage) => one.routingKey === routingKey && one.body.equals(body);
    for (const message of this.#messages) {
      if (this.#returned.has(message) || !same(message)) continue;
      this.#returned.add(message);
      return message;
    }
    return undefined;
  }

  clear(): void {
    this.#messages.clear();
    this.#returned.clear();
    this.#bytes = 0;
  }
}
