import type { ChannelModel, ConfirmChannel, Message } from 'amqplib';
import type { Logger } from '../plugin.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { scope, untilAborted } from '../util/scope.ts';
import { BrokerConnection, type ConnectionOptions, type ConnectionUser } from './connection.ts';
import { Counter, type DeliveryStats, type DropLog } from './delivery-stats.ts';
import { Flights } from './flights.ts';
import type { MessageStore, OutgoingMessage, StoredMessage } from './message-store.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import { declareTopology, type Topology } from './topology.ts';

export interface NotifierOptions {
  readonly connection: ConnectionOptions;
  readonly topology: Topology;
  /** How often a message is sent again after it was not taken; -1 sets no limit. */
  readonly retries: number;
  /** Unconfirmed bytes on the wire at a time; at least one message always. */
  readonly windowBytes: number;
  /** Milliseconds for which a message that no queue takes is tried again. */
  readonly unroutableTimeout: number;
}

/** Milliseconds without a confirmation after which a broker counts as away for those who wait for room. */
const STALL = 5000;

/** The properties of oslo.messaging, all of them. Unlike there, a message that no queue takes comes back. */
const PROPERTIES = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: {},
  deliveryMode: 2,
  priority: 0,
  mandatory: true,
};

interface History {
  sends: number;
  /** When it first came back, on the clock that never steps. */
  returnedAt?: number;
}

/** Brings the messages of a store to a broker, in order, and takes each out of the store when the broker has it. */
export class Notifier {
  readonly stats: DeliveryStats;
  readonly #options: NotifierOptions;
  readonly #store: MessageStore;
  readonly #drops: DropLog;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #connection: BrokerConnection;
  readonly #closing = new AbortController();
  readonly #counts = { sent: new Counter(), confirmed: new Counter(), resent: new Counter(), returned: new Counter() };
  readonly #history = new WeakMap<StoredMessage, History>();
  readonly #flights: Flights;
  #declared: ConfirmChannel | undefined;
  #channel: ConfirmChannel | undefined;
  #connects = 0;
  #blocked = false;
  /** After the broker did not take a message, until it makes sense to send again. */
  #paused = false;
  #setbacks = 0;
  #sizeLimit = Number.POSITIVE_INFINITY;
  #waiting: (() => void)[] = [];

  constructor(options: NotifierOptions, store: MessageStore, drops: DropLog, log: Logger, clock: Clock = systemClock) {
    this.#options = options;
    this.#store = store;
    this.#drops = drops;
    this.#log = log;
    this.#clock = clock;
    this.#flights = new Flights(options.windowBytes);
    this.stats = this.#makeStats();
    const user: ConnectionUser = {
      setUp: (model) => this.#setUp(model),
      connected: () => this.#connected(),
      lost: () => this.#lost(),
      blocked: (blocked) => this.#setBlocked(blocked),
    };
    this.#connection = new BrokerConnection(options.connection, user, log, clock);
  }

  /**
   * Takes a message over. Waits only while a broker that keeps confirming leaves no room; otherwise the oldest messages
   * make room by being dropped.
   */
  async publish(message: OutgoingMessage, signal: AbortSignal): Promise<void> {
    while (this.#flowing() && !this.#store.hasRoom(message.body.length)) {
      if (!(await this.#progress(signal))) break;
    }
    for (const dropped of this.#store.push(message)) {
      this.#drops.drop('queue_full', dropped, { queuedBytes: this.#store.size.bytes });
    }
    this.#pump();
  }

  /** Resolves when the broker has everything, or the signal aborts, to the number of samples that it does not have. */
  async flush(signal: AbortSignal): Promise<number> {
    while (this.#store.size.messages > 0 && !signal.aborted) await quietly(untilAborted(this.#change(), signal));
    return this.#store.size.samples;
  }

  /** Settles soon, whatever state the broker is in. What is still in the store stays there. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#connection.close();
  }

  async #setUp(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel();
    channel.on('error', (error) => this.#failed(channel, error));
    channel.on('return', (message) => this.#cameBack(message));
    await declareTopology(channel, this.#options.topology);
    this.#declared = channel;
  }

  #connected(): void {
    this.#channel = this.#declared;
    this.#connects += 1;
    this.#setbacks = 0;
    this.#pump();
  }

  #lost(): void {
    this.#channel = undefined;
    this.#flights.clear();
    this.#blocked = false;
    this.#paused = false;
    this.#store.putBackAll();
    this.#wake();
  }

  #setBlocked(blocked: boolean): void {
    this.#blocked = blocked;
    this.#wake();
    this.#pump();
  }

  #failed(channel: ConfirmChannel, error: Error): void {
    if (channel !== this.#channel) return;
    const limit = /message size \d+ .*max size (\d+)/.exec(error.message)?.[1];
    if (limit !== undefined) this.#sizeLimit = Number(limit);
    this.#connection.reset(error);
  }

  #flowing(): boolean {
    return this.#channel !== undefined && !this.#blocked && !this.#paused && !this.#closing.signal.aborted;
  }

  #pump(): void {
    const channel = this.#channel;
    if (channel === undefined || !this.#flowing()) return;
    while (!this.#flights.full) {
      const message = this.#store.next();
      if (message === undefined) return;
      if (!this.#givenUp(message) && !this.#send(channel, message)) return;
    }
  }

  #givenUp(message: StoredMessage): boolean {
    const { sends, returnedAt } = this.#history.get(message) ?? { sends: 0 };
    const { retries, unroutableTimeout } = this.#options;
    if (message.body.length > this.#sizeLimit) {
      this.#drops.drop('too_large', message, { bytes: message.body.length, limit: this.#sizeLimit });
    } else if (retries >= 0 && sends > retries) {
      this.#drops.drop('retries', message, { retries });
    } else if (returnedAt !== undefined && this.#clock.monotonic() - returnedAt >= unroutableTimeout) {
      this.#drops.drop('unroutable', message, { routingKey: message.routingKey });
    } else return false;
    this.#store.confirm(message);
    this.#wake();
    return true;
  }

  /** False when the channel takes nothing any more. */
  #send(channel: ConfirmChannel, message: StoredMessage): boolean {
    const history = this.#history.get(message) ?? { sends: 0 };
    try {
      channel.publish(this.#options.topology.exchange, message.routingKey, message.body, PROPERTIES, (error: unknown) =>
        this.#answered(message, error === null),
      );
    } catch (error) {
      this.#store.putBack(message);
      this.#connection.reset(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
    this.#flights.add(message);
    this.#counts[history.sends === 0 ? 'sent' : 'resent'].add(message);
    history.sends += 1;
    this.#history.set(message, history);
    return true;
  }

  /** The broker took the message over or not; or the channel ended, and then everything is put back anyway. */
  #answered(message: StoredMessage, positive: boolean): void {
    const outcome = this.#flights.answered(message, positive);
    if (outcome === 'unknown') return;
    if (outcome === 'refused') {
      this.#store.putBack(message);
      void this.#setBack();
      return;
    }
    this.#setbacks = 0;
    this.#store.confirm(message);
    this.#counts.confirmed.add(message);
    // Half empty: otherwise a queue that is just full would tell at each message.
    if (this.#store.hasRoom(this.#store.size.bytes)) this.#drops.recovered();
    this.#wake();
    this.#pump();
  }

  #cameBack({ content, fields }: Message): void {
    const message = this.#flights.returned(fields.routingKey, content);
    if (message === undefined) return;
    this.#counts.returned.add(message);
    const history = this.#history.get(message);
    if (history !== undefined) history.returnedAt ??= this.#clock.monotonic();
  }

  /** Sends nothing for a while, and declares everything anew before it goes on. */
  async #setBack(): Promise<void> {
    const channel = this.#channel;
    if (this.#paused || channel === undefined) return;
    this.#paused = true;
    this.#wake();
    if (this.#setbacks === 0) {
      const { exchange } = this.#options.topology;
      this.#log.warn({ exchange }, 'the message broker did not take samples, sending them again');
    }
    const { retry } = this.#options.connection;
    await this.#clock.sleep(this.#setbacks === 0 ? 0 : reconnectDelay(this.#setbacks, retry), this.#closing.signal);
    this.#setbacks += 1;
    if (channel !== this.#channel) return;
    try {
      await declareTopology(channel, this.#options.topology);
    } catch (error) {
      if (channel === this.#channel) this.#connection.reset(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (channel !== this.#channel) return;
    this.#paused = false;
    this.#pump();
  }

  /** True as soon as something changed; false when nothing does for a while. */
  async #progress(signal: AbortSignal): Promise<boolean> {
    using wait = scope(signal, STALL, 'delivery');
    return await quietly(untilAborted(this.#change(), wait.signal));
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #makeStats(): DeliveryStats {
    const connected = () => this.#channel !== undefined;
    const blocked = () => this.#blocked;
    const connects = () => this.#connects;
    return {
      get connected() {
        return connected();
      },
      get blocked() {
        return blocked();
      },
      get connects() {
        return connects();
      },
      ...this.#counts,
      dropped: this.#drops.counts,
      queued: this.#store.size,
    };
  }
}

/** Whether the promise was kept. */
async function quietly(promise: Promise<void>): Promise<boolean> {
  try {
    await promise;
    return true;
  } catch {
    return false;
  }
}
