import type { ChannelModel } from 'amqplib';
import type { Logger } from '../plugin.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { scope, untilAborted } from '../util/scope.ts';
import { explainConnectError } from './connect-error.ts';
import { type BrokerOptions, openConnection } from './open-connection.ts';
import { type RetryOptions, reconnectDelay } from './reconnect-delay.ts';
import type { BrokerHost } from './transport-url.ts';

export interface ConnectionOptions extends BrokerOptions {
  readonly hosts: readonly BrokerHost[];
  /** Whether the order of the hosts changes with each round. It starts anywhere, so that agents spread over them. */
  readonly shuffle: boolean;
  /** Milliseconds for connecting and setting up. */
  readonly connectTimeout: number;
  readonly retry: RetryOptions;
}

/** What uses the connection. */
export interface ConnectionUser {
  /** Opens channels and declares what they need, after each connect. The attempt failed if it throws. */
  setUp(model: ChannelModel): Promise<void>;
  /** The connection is set up. */
  connected(): void;
  /** The connection that was set up is gone. */
  lost(): void;
  /** The broker takes no messages for now, or does again. */
  blocked(blocked: boolean): void;
  /** Memory for the body of a message that comes, where the user has some. */
  readonly takeBody?: (length: number) => Buffer;
}

type Outcome =
  | { readonly state: 'failed'; readonly error: unknown }
  /** `lasted` in milliseconds. */
  | { readonly state: 'lost'; readonly error: Error; readonly lasted: number };

/** A connection that lasted this long was a good one: the waits start over. */
const STABLE = 10_000;
/** For saying goodbye to a broker that may not listen. */
const CLOSE_TIMEOUT = 1000;

/** Keeps one connection to a broker of many hosts up, for ever. */
export class BrokerConnection {
  readonly #options: ConnectionOptions;
  readonly #user: ConnectionUser;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  /** What was logged since the connection was last up: a fault is told once, not at each attempt. */
  readonly #told = new Set<string>();
  #hosts: readonly BrokerHost[];
  #failures = 0;
  #reset: ((reason: Error) => void) | undefined;
  readonly #running: Promise<void>;

  constructor(options: ConnectionOptions, user: ConnectionUser, log: Logger, clock: Clock = systemClock) {
    this.#options = options;
    this.#user = user;
    this.#log = log;
    this.#clock = clock;
    this.#hosts = shuffled(options.hosts);
    this.#running = this.#run();
  }

  /** Gives the present connection up and makes a new one. */
  reset(reason: Error): void {
    this.#reset?.(reason);
  }

  /** Settles soon, whatever state the broker is in. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#reset?.(new Error('closing'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const closing = this.#closing.signal;
    while (!closing.aborted) {
      for (const [index, host] of this.#hosts.entries()) {
        const outcome = await this.#attempt(host);
        if (closing.aborted) return;
        // Every host is tried before the first wait.
        const more = outcome.state === 'failed' && index < this.#hosts.length - 1;
        const wait = more ? 0 : this.#nextWait(outcome);
        this.#tell(host, outcome, wait);
        await this.#clock.sleep(wait, closing);
        if (!more) break;
      }
      if (this.#options.shuffle) this.#hosts = shuffled(this.#hosts);
    }
  }

  #nextWait(outcome: Outcome): number {
    this.#failures = outcome.state === 'lost' && outcome.lasted >= STABLE ? 0 : this.#failures + 1;
    return reconnectDelay(this.#failures, this.#options.retry);
  }

  /** Resolves when the attempt has failed, or when the connection that it made is over. */
  async #attempt(host: BrokerHost): Promise<Outcome> {
    // Aborts to destroy the socket, so that nothing is left of a connection that hangs.
    const life = new AbortController();
    const over = new Promise<Error>((resolve) => {
      this.#reset = resolve;
    });
    try {
      const { model, ended } = await this.#connect(host, life, over);
      const since = this.#clock.monotonic();
      this.#tellConnected(host);
      this.#user.connected();
      const error = await Promise.race([ended, over]);
      this.#user.lost();
      await goodbye(model, ended);
      return { state: 'lost', error, lasted: this.#clock.monotonic() - since };
    } catch (error) {
      return { state: 'failed', error };
    } finally {
      this.#reset = undefined;
      life.abort();
    }
  }

  async #connect(host: BrokerHost, life: AbortController, over: Promise<Error>) {
    const { connectTimeout } = this.#options;
    using attempt = scope(this.#closing.signal, connectTimeout, 'connecting');
    const give = () => life.abort(attempt.signal.reason);
    attempt.signal.addEventListener('abort', give, { once: true });
    if (attempt.signal.aborted) give();
    const model = await openConnection(host, this.#options, life.signal, this.#user.takeBody);
    const ended = this.#watch(model);
    const setUp = Promise.race([this.#user.setUp(model), ended.then(raise), over.then(raise)]);
    await untilAborted(setUp, life.signal);
    return { model, ended };
  }

  /** Resolves when the connection is over to the reason. */
  #watch(model: ChannelModel): Promise<Error> {
    return new Promise((resolve) => {
      let fault: Error | undefined;
      model.on('error', (error) => {
        fault ??= error;
      });
      model.on('close', (error) => resolve(fault ?? error ?? new Error('closed')));
      model.on('blocked', (reason) => {
        this.#log.warn({ reason }, 'the message broker takes no messages for now');
        this.#user.blocked(true);
      });
      model.on('unblocked', () => {
        this.#log.info({}, 'the message broker takes messages again');
        this.#user.blocked(false);
      });
    });
  }

  #tellConnected(host: BrokerHost): void {
    const { virtualHost, tls } = this.#options;
    this.#told.clear();
    this.#log.info({ broker: nameOf(host), virtualHost, tls: tls !== undefined }, 'connected to the message broker');
  }

  #tell(host: BrokerHost, outcome: Outcome, wait: number): void {
    const reason = explainConnectError(outcome.error, { user: host.user, virtualHost: this.#options.virtualHost });
    const fields = { broker: nameOf(host), reason, retryInSeconds: wait / 1000 };
    if (outcome.state === 'lost') {
      this.#log.warn(fields, 'lost the connection to the message broker');
      return;
    }
    const news = `${fields.broker} ${reason}`;
    if (this.#told.has(news)) this.#log.debug(fields, 'still no connection to the message broker');
    else this.#log.error(fields, 'no connection to the message broker');
    this.#told.add(news);
  }
}

function raise(error: Error): never {
  throw error;
}

/** Closes in good order where the broker still answers. */
async function goodbye(model: ChannelModel, ended: Promise<Error>): Promise<void> {
  try {
    await untilAborted(Promise.race([model.close(), ended]), AbortSignal.timeout(CLOSE_TIMEOUT));
  } catch {
    // It was gone already, or is not worth the wait.
  }
}

function nameOf({ host, port }: BrokerHost): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
