/** A notifier against a test's broker, and what a stock consumer gets from there. */
import { setMaxListeners } from 'node:events';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { DropLog } from '../../src/messaging/delivery-stats.ts';
import { createMemoryStore } from '../../src/messaging/memory-store.ts';
import type { OutgoingMessage } from '../../src/messaging/message-store.ts';
import { Notifier, type NotifierOptions } from '../../src/messaging/notifier.ts';
import { soon } from './patience.ts';
import { type RecordingLog, recordingLog } from './recording-log.ts';
import { until } from './until.ts';

export const QUEUE = 'notifications.sample';

type Overrides = Partial<NotifierOptions['connection']> &
  Partial<NotifierOptions['topology']> &
  Partial<Omit<NotifierOptions, 'connection' | 'topology'>> & { readonly maxQueueBytes?: number };

export interface Delivery extends AsyncDisposable {
  readonly notifier: Notifier;
  readonly log: RecordingLog;
}

/** Waits between attempts are short, so that tests are. */
export function deliver(ports: number | readonly number[], virtualHost: string, overrides: Overrides = {}): Delivery {
  const log = recordingLog();
  const hosts = [ports].flat().map((port) => ({ host: '127.0.0.1', port, user: 'guest', password: 'guest' }));
  const options: NotifierOptions = {
    connection: {
      hosts,
      virtualHost,
      login: 'AMQPLAIN',
      tls: undefined,
      heartbeat: 60,
      programName: 'ceilometer-polling',
      shuffle: false,
      connectTimeout: 5000,
      retry: { interval: 40, step: 20, max: 200, afterLoss: 40 },
      ...overrides,
    },
    topology: {
      exchange: 'ceilometer',
      routingKeys: [QUEUE],
      durable: false,
      autoDelete: false,
      queueArguments: {},
      ...overrides,
    },
    windowBytes: 1_000_000,
    retries: -1,
    unroutableTimeout: 60_000,
    ...overrides,
  };
  const notifier = new Notifier(
    options,
    createMemoryStore(overrides.maxQueueBytes ?? 64_000_000),
    new DropLog(log),
    log,
  );
  return { notifier, log, [Symbol.asyncDispose]: () => notifier.close() };
}

export function message(body: string): OutgoingMessage {
  return { routingKey: QUEUE, body: Buffer.from(body), samples: 1 };
}

/** Numbered messages of some size. */
export function messages(count: number, bytes = 300): readonly OutgoingMessage[] {
  return Array.from({ length: count }, (_, index) => message(`${index} `.padEnd(bytes, '.')));
}

function numberOf(body: string): number {
  return Number.parseInt(body, 10);
}

export function publishAll(notifier: Notifier, all: readonly OutgoingMessage[]): Promise<unknown> {
  const signal = soon();
  // As the agent's own, which all that waits listens to.
  setMaxListeners(0, signal);
  return Promise.all(all.map((one) => notifier.publish(one, signal)));
}

export interface Inbox {
  readonly messages: readonly ConsumeMessage[];
  /** Bodies as text. */
  readonly bodies: readonly string[];
  /** The number of each message that came, the first time that it came. */
  readonly firsts: readonly number[];
  has(count: number): Promise<void>;
}

/** Everything that arrives in a queue from now on, and what is there already. */
export async function openInbox(connection: ChannelModel, queue = QUEUE): Promise<Inbox> {
  const arrived: ConsumeMessage[] = [];
  const channel = await connection.createChannel();
  channel.on('error', () => {});
  await channel.consume(queue, (one) => one && arrived.push(one), { noAck: true });
  const bodies = () => arrived.map(({ content }) => content.toString('utf8'));
  return {
    messages: arrived,
    get bodies() {
      return bodies();
    },
    get firsts() {
      return [...new Set(bodies().map(numberOf))];
    },
    has: (count) => until(`${count} messages are there`, () => arrived.length >= count),
  };
}
