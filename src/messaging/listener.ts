/** Takes notifications from a broker, as many at a time as fit, and lets go of each when it is done. */
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Logger } from '../plugin.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { untilAborted } from '../util/scope.ts';
import { type Acknowledger, createAcknowledger } from './acknowledger.ts';
import { createBodyPool } from './body-pool.ts';
import { BrokerConnection, type ConnectionOptions, type ConnectionUser } from './connection.ts';
import { type DeadLetterOptions, DeadLetters } from './dead-letters.ts';
import { declareTopologies, depthOf, type QueueDepth, queuesOf, type Topology } from './topology.ts';

export interface ListenerOptions {
  readonly connection: ConnectionOptions;
  /** One for each exchange; the queues are the same. */
  readonly topologies: readonly Topology[];
  /** Messages that each queue's consumer takes in advance; 0 sets no limit. */
  readonly prefetch: number;
  /** Bytes of messages in hand beyond which no more are asked for. */
  readonly maxBytes: number;
  /** Messages that are worked on at a time; the others wait as they came. */
  readonly parallel: number;
  /** Messages that are handed over together. */
  readonly batchSize: number;
  /** Milliseconds after which a batch is handed over that is not full. */
  readonly batchTimeout: number;
  readonly deadLetters: DeadLetterOptions;
}

/** A message as it came. */
export interface Delivery {
  /** Other messages use its bytes once there is a verdict. */
  readonly body: Buffer;
  readonly contentType: unknown;
  readonly contentEncoding: unknown;
  readonly headers: Readonly<Record<string, unknown>> | undefined;
}

export type Verdict =
  /** Everything that had to be done about it is done. */
  | { readonly kind: 'done' }
  /** It cannot be processed, for a reason that will not pass. */
  | { readonly kind: 'dead'; readonly reason: string }
  /** Work on it was broken off: the broker shall deliver it again. */
  | { readonly kind: 'abandoned' };

/** Never rejects. Called for several messages at a time. */
export type DeliveryHandler = (delivery: Delivery) => Promise<Verdict>;

export type { QueueDepth };

export interface ListenerStats {
  readonly received: number;
  readonly done: number;
  readonly dead: number;
  readonly inHand: number;
}

/** A message takes several times its size while it is worked on. */
const ACTIVE_BYTES = 2_097_152;
/**
 * Bytes that are begun with together, in a round. The next round waits until this one is done: what fast publishers
 * take at once should not pile up only because there is more. Slow ones hold up nobody: each round that is not done in
 * time halves the time that the next one gets, and each that is doubles it. In milliseconds.
 */
const ROUND_BYTES = 131_072;
const SHORTEST_ROUND = 1;
const LONGEST_ROUND = 32;
/** What a message counts for at least. */
const LEAST_BYTES = 16_384;
/** Bytes of bodies that are kept for the next ones. */
const KEPT_BYTES = 8_388_608;

interface Waiting {
  readonly message: ConsumeMessage;
  /** Of the channel that it came on. */
  readonly acks: Acknowledger;
}

export class NotificationListener {
  readonly #options: ListenerOptions;
  readonly #handle: DeliveryHandler;
  readonly #log: Logger;
  readonly #connection: BrokerConnection;
  readonly #deadLetters: DeadLetters;
  readonly #counts = { received: 0, done: 0, dead: 0 };
  readonly #idle = new Set<() => void>();
  #model: ChannelModel | undefined;
  /** Messages wait so long that their bodies would grow old on the heap. */
  readonly #bodies = createBodyPool(KEPT_BYTES);
  #channel: Channel | undefined;
  #acks: Acknowledger | undefined;
  #ready: (() => void) | undefined;
  /** Resolves when the first consumers run. */
  readonly ready: Promise<void>;
  #tags: readonly string[] = [];
  #prefetch: number;
  /** Consumers were taken away because too much is in hand. */
  #held = false;
  #stopped = false;
  #inHand = 0;
  #inHandBytes = 0;
  #batch: Waiting[] = [];
  /** For their turn. */
  #queue: Waiting[] = [];
  #active = 0;
  #activeBytes = 0;
  #round = { bytes: 0, active: 0 };
  #roundTime = LONGEST_ROUND;
  #roundTimer: NodeJS.Timeout | undefined;
  #batchTimer: NodeJS.Timeout | undefined;

  constructor(options: ListenerOptions, handle: DeliveryHandler, log: Logger, clock: Clock = systemClock) {
    this.#options = options;
    this.#handle = handle;
    this.#log = log;
    this.#prefetch = options.prefetch;
    this.#deadLetters = new DeadLetters(options.deadLetters, log);
    this.ready = new Promise((resolve) => {
      this.#ready = resolve;
    });
    const user: ConnectionUser = {
      setUp: (model) => this.#setUp(model),
      connected: () => this.#ready?.(),
      lost: () => this.#lost(),
      blocked: () => {},
      takeBody: (length) => this.#bodies.take(length),
    };
    this.#connection = new BrokerConnection(options.connection, user, log, clock);
  }

  get stats(): ListenerStats {
    return { ...this.#counts, inHand: this.#inHand };
  }

  /** Of any queue on this broker. Undefined where there is no connection; rejects where there is no such queue. */
  async depth(queue: string): Promise<QueueDepth | undefined> {
    return this.#model === undefined ? undefined : depthOf(this.#model, queue);
  }

  /** Takes no further messages. Those that wait for their batch go back to the broker. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#batchTimer);
    this.#abandonWaiting();
    await this.#cancelConsumers();
  }

  /** Resolves when nothing is in hand any more, or when the signal aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    if (this.#inHand === 0) return;
    const idle = new Promise<void>((resolve) => this.#idle.add(resolve));
    await untilAborted(idle, signal).catch(() => {});
  }

  /** Settles soon, whatever state the broker is in. What is in hand is delivered again. */
  async close(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#batchTimer);
    this.#acks?.flush();
    await this.#connection.close();
  }

  async #setUp(model: ChannelModel): Promise<void> {
    await declareTopologies(model, this.#options.topologies);
    const channel = await model.createChannel();
    channel.on('error', (error) => this.#connection.reset(error));
    await this.#deadLetters.open(model);
    this.#model = model;
    this.#channel = channel;
    this.#acks = createAcknowledger(channel, (error) => this.#reset(error));
    if (!this.#stopped) await this.#consume(channel, this.#acks);
  }

  async #consume(channel: Channel, acks: Acknowledger): Promise<void> {
    await channel.prefetch(this.#prefetch, false);
    const queues = [...new Set(this.#options.topologies.flatMap(queuesOf))];
    const tags = queues.map((_, index) => String(index + 1));
    this.#tags = tags;
    await Promise.all(
      queues.map((queue, index) =>
        channel.consume(queue, (message) => this.#received(message, acks), {
          noAck: false,
          exclusive: false,
          consumerTag: tags[index] ?? '',
        }),
      ),
    );
  }

  async #cancelConsumers(): Promise<void> {
    const channel = this.#channel;
    const tags = this.#tags;
    this.#tags = [];
    if (channel === undefined) return;
    try {
      await Promise.all(tags.map((tag) => channel.cancel(tag)));
    } catch {
      // The channel is gone, and its consumers with it.
    }
  }

  #lost(): void {
    this.#model = undefined;
    this.#channel = undefined;
    this.#acks = undefined;
    this.#tags = [];
    this.#held = false;
    this.#deadLetters.lost();
    // They are delivered again on the next connection.
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    this.#abandonWaiting();
  }

  #abandonWaiting(): void {
    const waiting = [...this.#queue, ...this.#batch];
    this.#queue = [];
    this.#batch = [];
    for (const { message, acks } of waiting) this.#finish(message, acks, { kind: 'abandoned' });
  }

  #received(message: ConsumeMessage | null, acks: Acknowledger): void {
    if (message === null) {
      // The queue was deleted, or moved: all is declared anew on a new connection.
      this.#connection.reset(new Error('the broker cancelled a consumer'));
      return;
    }
    acks.received(message);
    this.#counts.received += 1;
    this.#inHand += 1;
    this.#inHandBytes += message.content.length;
    if (this.#inHandBytes > this.#options.maxBytes && !this.#held) this.#hold();
    const waiting = { message, acks };
    if (this.#stopped) this.#finish(message, acks, { kind: 'abandoned' });
    else if (this.#options.batchSize <= 1) this.#enqueue(waiting);
    else this.#collect(waiting);
  }

  #collect(waiting: Waiting): void {
    this.#batch.push(waiting);
    if (this.#batch.length >= this.#options.batchSize) this.#flushBatch();
    else this.#batchTimer ??= setTimeout(() => this.#flushBatch(), this.#options.batchTimeout);
  }

  #flushBatch(): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    const batch = this.#batch;
    this.#batch = [];
    for (const waiting of batch) this.#enqueue(waiting);
  }

  #enqueue(waiting: Waiting): void {
    this.#queue.push(waiting);
    this.#pump();
  }

  #pump(): void {
    while (this.#active < this.#options.parallel && this.#activeBytes < ACTIVE_BYTES) {
      const round = this.#round;
      if (round.bytes >= ROUND_BYTES) return;
      const next = this.#queue.shift();
      if (next === undefined) return;
      const { length } = next.message.content;
      this.#active += 1;
      this.#activeBytes += length;
      round.active += 1;
      round.bytes += Math.max(length, LEAST_BYTES);
      this.#roundTimer ??= setTimeout(() => this.#nextRound(0.5), this.#roundTime);
      void this.#process(next).then(() => {
        this.#active -= 1;
        this.#activeBytes -= length;
        round.active -= 1;
        if (round.active === 0 && round === this.#round) this.#nextRound(2);
        else this.#pump();
      });
    }
  }

  #nextRound(change: number): void {
    clearTimeout(this.#roundTimer);
    this.#roundTimer = undefined;
    this.#roundTime = Math.min(Math.max(this.#roundTime * change, SHORTEST_ROUND), LONGEST_ROUND);
    this.#round = { bytes: 0, active: 0 };
    this.#pump();
  }

  async #process({ message, acks }: Waiting): Promise<void> {
    const { contentType, contentEncoding, headers } = message.properties;
    const verdict = await this.#handle({ body: message.content, contentType, contentEncoding, headers });
    if (verdict.kind === 'dead' && acks === this.#acks) await this.#deadLetters.put(message, verdict.reason);
    this.#finish(message, acks, verdict);
  }

  #finish(message: ConsumeMessage, acks: Acknowledger, verdict: Verdict): void {
    this.#inHand -= 1;
    this.#inHandBytes -= message.content.length;
    // Of a connection that is gone nothing can be acknowledged; the broker delivers the message again.
    if (acks === this.#acks) {
      if (verdict.kind === 'abandoned') acks.abandoned(message);
      else acks.done(message);
      if (verdict.kind === 'done') this.#counts.done += 1;
      if (verdict.kind === 'dead') this.#counts.dead += 1;
      if (this.#inHand === 0) acks.flush();
    }
    this.#bodies.give(message.content);
    if (this.#held && this.#inHandBytes < this.#options.maxBytes / 2) this.#release();
    if (this.#inHand > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  /**
   * AMQP counts messages in advance, not bytes, and cannot be told to wait: the consumers are taken away until half of
   * what is in hand is done, and come back with a count that would have fitted.
   */
  #hold(): void {
    this.#held = true;
    const queues = Math.max(this.#tags.length, 1);
    const average = this.#inHandBytes / Math.max(this.#inHand, 1);
    this.#prefetch = Math.max(1, Math.floor(this.#options.maxBytes / average / queues));
    if (this.#options.prefetch > 0) this.#prefetch = Math.min(this.#prefetch, this.#options.prefetch);
    const fields = { bytes: this.#inHandBytes, messages: this.#inHand, prefetch: this.#prefetch };
    this.#log.warn(fields, 'too much is in hand, no more notifications are taken for now');
    void this.#cancelConsumers();
  }

  #release(): void {
    this.#held = false;
    const [channel, acks] = [this.#channel, this.#acks];
    if (channel === undefined || acks === undefined || this.#stopped) return;
    this.#log.info({ prefetch: this.#prefetch }, 'notifications are taken again');
    this.#consume(channel, acks).catch((error: unknown) => this.#reset(error));
  }

  #reset(error: unknown): void {
    this.#connection.reset(error instanceof Error ? error : new Error(String(error)));
  }
}
