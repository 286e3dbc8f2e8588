import type { ConfirmChannel, Message } from 'amqplib';
import type { Logger } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';
import { Counter, type DropLog } from './delivery-stats.ts';
import { MESSAGE_PROPERTIES } from './envelope.ts';
import { Flights } from './flights.ts';
import type { MessageStore, StoredMessage } from './message-store.ts';
import { type RetryOptions, reconnectDelay } from './reconnect-delay.ts';
import { declareTopology, type Topology } from './topology.ts';

export interface SenderOptions {
  readonly topology: Topology;
  /** Unconfirmed bytes on the wire at a time; at least one message always. */
  readonly windowBytes: number;
  /** How often a message is sent again after it was not taken; -1 sets no limit. */
  readonly retries: number;
  /** Milliseconds for which a message that no queue takes is tried again. */
  readonly unroutableTimeout: number;
  /** For the waits after the broker did not take a message. */
  readonly retry: RetryOptions;
}

export interface SenderParts {
  readonly store: MessageStore;
  readonly drops: DropLog;
  readonly log: Logger;
  readonly clock: Clock;
  /** The channel is of no use any more. */
  readonly broken: (error: Error) => void;
  /** Something left the store, or the sender began or ceased to send. */
  readonly changed: () => void;
}

/** Unlike in oslo.messaging, a message that no queue takes comes back. */
const PROPERTIES = { ...MESSAGE_PROPERTIES, mandatory: true };

/** Milliseconds without a setback after which the broker counts as sound again. */
const SOUND = 10_000;

interface History {
  sends: number;
  /** When it first came back, on the clock that never steps. */
  returnedAt?: number;
}

/** Moves messages from a store over one channel after another, and out of the store when the broker has them. */
export class Sender {
  readonly counts = { sent: new Counter(), confirmed: new Counter(), resent: new Counter(), returned: new Counter() };
  readonly #options: SenderOptions;
  readonly #parts: SenderParts;
  readonly #flights: Flights;
  readonly #history = new WeakMap<StoredMessage, History>();
  #channel: ConfirmChannel | undefined;
  /** Aborts with the end of the present channel. */
  #life = new AbortController();
  #held = false;
  /** After the broker did not take a message, until it makes sense to send again. */
  #paused = false;
  #setbacks = 0;
  #lastSetback = 0;
  #sizeLimit = Number.POSITIVE_INFINITY;

  constructor(options: SenderOptions, parts: SenderParts) {
    this.#options = options;
    this.#parts = parts;
    this.#flights = new Flights(options.windowBytes);
  }

  /** Whether what is in the store is on its way. */
  get sending(): boolean {
    return this.#channel !== undefined && !this.#held && !this.#paused;
  }

  /** Declares what the messages need. Nothing is sent before `start`. */
  async prepare(channel: ConfirmChannel): Promise<void> {
    channel.on('error', (error) => this.#failed(channel, error));
    channel.on('return', (message) => this.#cameBack(message));
    await declareTopology(channel, this.#options.topology);
  }

  start(channel: ConfirmChannel): void {
    this.#channel = channel;
    this.#life = new AbortController();
    this.pump();
  }

  /** What was not confirmed goes over the next channel. */
  stop(): void {
    this.#channel = undefined;
    this.#life.abort();
    this.#held = false;
    this.#paused = false;
    this.#flights.clear();
    this.#parts.store.putBackAll();
    this.#parts.changed();
  }

  /** Sends nothing, or does again. */
  hold(held: boolean): void {
    this.#held = held;
    this.#parts.changed();
    this.pump();
  }

  /** Sends what the store has, as far as it may be on the wire at a time. */
  pump(): void {
    const channel = this.#channel;
    while (channel !== undefined && this.sending && !this.#flights.full) {
      const message = this.#parts.store.next();
      if (message === undefined) return;
      if (!this.#givenUp(message)) this.#send(channel, message);
    }
  }

  #givenUp(message: StoredMessage): boolean {
    const { sends, returnedAt } = this.#history.get(message) ?? { sends: 0 };
    const { retries, unroutableTimeout } = this.#options;
    const { store, drops, clock, changed } = this.#parts;
    if (message.body.length > this.#sizeLimit) {
      drops.drop('too_large', message, { bytes: message.body.length, limit: this.#sizeLimit });
    } else if (retries >= 0 && sends > retries) {
      drops.drop('retries', message, { retries });
    } else if (returnedAt !== undefined && clock.monotonic() - returnedAt >= unroutableTimeout) {
      drops.drop('unroutable', message, { routingKey: message.routingKey });
    } else return false;
    store.confirm(message);
    changed();
    return true;
  }

  #send(channel: ConfirmChannel, message: StoredMessage): void {
    const { exchange } = this.#options.topology;
    const history = this.#history.get(message) ?? { sends: 0 };
    try {
      channel.publish(exchange, message.routingKey, message.body, PROPERTIES, (error: unknown) =>
        this.#answered(message, error === null),
      );
    } catch (error) {
      this.#failed(channel, error);
      return;
    }
    this.#flights.add(message);
    this.counts[history.sends === 0 ? 'sent' : 'resent'].add(message);
    history.sends += 1;
    this.#history.set(message, history);
  }

  #failed(channel: ConfirmChannel, error: unknown): void {
    if (channel !== this.#channel) return;
    const fault = error instanceof Error ? error : new Error(String(error));
    const limit = /message size \d+ .*max size (\d+)/.exec(fault.message)?.[1];
    if (limit !== undefined) this.#sizeLimit = Number(limit);
    this.stop();
    this.#parts.broken(fault);
  }

  /** The broker took the message over or not; or the channel ended, and then everything is put back anyway. */
  #answered(message: StoredMessage, positive: boolean): void {
    const outcome = this.#flights.answered(message, positive);
    if (outcome === 'unknown') return;
    const { store, drops, clock, changed } = this.#parts;
    if (outcome === 'refused') {
      store.putBack(message);
      void this.#setBack();
      return;
    }
    if (clock.monotonic() - this.#lastSetback >= SOUND) this.#setbacks = 0;
    store.confirm(message);
    this.counts.confirmed.add(message);
    // Half empty: otherwise a queue that is just full would tell at each message.
    if (store.hasRoom(store.size.bytes)) drops.recovered();
    changed();
    this.pump();
  }

  #cameBack({ content, fields }: Message): void {
    const message = this.#flights.returned(fields.routingKey, content);
    if (message === undefined) return;
    this.counts.returned.add(message);
    const history = this.#history.get(message);
    if (history !== undefined) history.returnedAt ??= this.#parts.clock.monotonic();
  }

  /** Sends nothing for a while, and declares everything anew before it goes on. */
  async #setBack(): Promise<void> {
    const channel = this.#channel;
    if (this.#paused || channel === undefined) return;
    const { clock, log, changed } = this.#parts;
    this.#paused = true;
    changed();
    const wait = this.#setbacks === 0 ? 0 : reconnectDelay(this.#setbacks, this.#options.retry);
    await clock.sleep(wait, this.#life.signal);
    // A channel that ends answers everything in the negative, too.
    if (channel !== this.#channel) return;
    if (this.#setbacks === 0) {
      const { exchange } = this.#options.topology;
      log.warn({ exchange }, 'the message broker did not take samples, sending them again');
    }
    this.#setbacks += 1;
    this.#lastSetback = clock.monotonic();
    try {
      await declareTopology(channel, this.#options.topology);
    } catch (error) {
      this.#failed(channel, error);
      return;
    }
    if (channel !== this.#channel) return;
    this.#paused = false;
    this.pump();
  }
}
