import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { Logger } from '../plugin.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { untilAborted } from '../util/scope.ts';
import { BrokerConnection, type ConnectionOptions } from './connection.ts';
import type { DeliveryStats, DropLog } from './delivery-stats.ts';
import { Doorway } from './doorway.ts';
import type { MessageStore, OutgoingMessage } from './message-store.ts';
import { Sender, type SenderOptions } from './sender.ts';

export interface NotifierOptions extends Omit<SenderOptions, 'retry'> {
  readonly connection: ConnectionOptions;
}

/** Takes messages over, and sees to it that a broker gets them: in order, at least once, as soon as there is one. */
export class Notifier {
  readonly stats: DeliveryStats;
  readonly #windowBytes: number;
  readonly #store: MessageStore;
  readonly #drops: DropLog;
  readonly #sender: Sender;
  readonly #connection: BrokerConnection;
  #channel: ConfirmChannel | undefined;
  #connected = false;
  #blocked = false;
  #connects = 0;
  readonly #doorway: Doorway<OutgoingMessage>;
  #flushing: (() => void)[] = [];

  constructor(options: NotifierOptions, store: MessageStore, drops: DropLog, log: Logger, clock: Clock = systemClock) {
    this.#windowBytes = options.windowBytes;
    this.#store = store;
    this.#drops = drops;
    this.#sender = new Sender(
      { ...options, retry: options.connection.retry },
      {
        store,
        drops,
        log,
        clock,
        broken: (error) => this.#connection.reset(error),
        changed: () => this.#changed(),
      },
    );
    this.#doorway = new Doorway({
      isFull: (message) => this.#sender.sending && this.#enough(message),
      enter: (message) => this.#take(message),
    });
    this.stats = this.#makeStats();
    this.#connection = this.#connect(options.connection, log, clock);
  }

  /**
   * Takes a message over. Waits only while a broker that keeps confirming has enough to do; otherwise the message is
   * kept, and where there is no room for it the oldest are dropped.
   */
  publish(message: OutgoingMessage, signal: AbortSignal): Promise<void> {
    return this.#doorway.pass(message, signal);
  }

  #take(message: OutgoingMessage): void {
    for (const dropped of this.#store.push(message)) {
      this.#drops.drop('queue_full', dropped, { queuedBytes: this.#store.size.bytes });
    }
    this.#sender.pump();
  }

  /** Resolves when the broker has everything, or the signal aborts, to the number of samples that it does not have. */
  async flush(signal: AbortSignal): Promise<number> {
    while (this.#store.size.messages > 0 && !signal.aborted) {
      // The end of the wait is no failure.
      await untilAborted(this.#change(), signal).catch(() => undefined);
    }
    return this.#store.size.samples;
  }

  /** Settles soon, whatever state the broker is in. What is still in the store stays there. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  #connect(options: ConnectionOptions, log: Logger, clock: Clock): BrokerConnection {
    const user = {
      setUp: async (model: ChannelModel) => {
        this.#channel = await model.createConfirmChannel();
        await this.#sender.prepare(this.#channel);
      },
      connected: () => {
        this.#connected = true;
        this.#connects += 1;
        if (this.#channel !== undefined) this.#sender.start(this.#channel);
      },
      lost: () => {
        this.#connected = false;
        this.#blocked = false;
        this.#sender.stop();
      },
      blocked: (blocked: boolean) => {
        this.#blocked = blocked;
        this.#sender.hold(blocked);
      },
    };
    return new BrokerConnection(options, user, log, clock);
  }

  /** What waits for a broker that is there need not grow to what is kept for one that is away. */
  #enough({ body }: OutgoingMessage): boolean {
    const { bytes } = this.#store.size;
    return bytes >= this.#windowBytes || !this.#store.hasRoom(body.length);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#flushing.push(resolve));
  }

  #changed(): void {
    this.#doorway.look();
    const flushing = this.#flushing;
    this.#flushing = [];
    for (const resolve of flushing) resolve();
  }

  #makeStats(): DeliveryStats {
    const connected = () => this.#connected;
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
      ...this.#sender.counts,
      dropped: this.#drops.counts,
      queued: this.#store.size,
    };
  }
}
