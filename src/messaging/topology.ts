/** What oslo.messaging declares before it sends, so that messages are kept even before the first consumer comes. */
import type { Channel, ChannelModel } from 'amqplib';
import { ConfigError } from '../errors.ts';

export interface Topology {
  readonly exchange: string;
  /** Of the messages, and the names of the queues bound for them. */
  readonly routingKeys: readonly string[];
  /** One queue for the messages of all keys, in place of one for each that is named like it: a pool. */
  readonly pool?: string;
  /** In front of the routing keys in the names of the queues, for who wants a copy of what others take. */
  readonly queuePrefix?: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly queueArguments: Readonly<Record<string, string | number>>;
}

export function queuesOf({ pool, queuePrefix = '', routingKeys }: Topology): readonly string[] {
  return pool === undefined ? routingKeys.map((key) => `${queuePrefix}${key}`) : [pool];
}

/** Closes the channel when it throws. A ConfigError says which option does not agree with the other programs. */
export async function declareTopology(channel: Channel, topology: Topology): Promise<void> {
  await declareExchange(channel, topology);
  await declareQueues(channel, [topology]);
  await bindQueues(channel, topology);
}

/** The same for several, which wait for the broker side by side. Rejects with the first that fails. */
export async function declareTopologies(model: ChannelModel, topologies: readonly Topology[]): Promise<void> {
  await onOwnChannel(model, (channel) => declareQueues(channel, topologies));
  await Promise.all(
    topologies.map((topology) =>
      onOwnChannel(model, async (channel) => {
        await declareExchange(channel, topology);
        await bindQueues(channel, topology);
      }),
    ),
  );
}

async function onOwnChannel<T>(model: ChannelModel, work: (channel: Channel) => PromiseLike<T>): Promise<T> {
  const channel = await model.createChannel();
  // Whoever waits for the work is told.
  channel.on('error', () => {});
  const result = await work(channel);
  await channel.close();
  return result;
}

export interface QueueDepth {
  readonly messages: number;
  readonly consumers: number;
}

/** Rejects where there is no such queue. */
export async function depthOf(model: ChannelModel, queue: string): Promise<QueueDepth> {
  const { messageCount, consumerCount } = await onOwnChannel(model, (channel) => channel.checkQueue(queue));
  return { messages: messageCount, consumers: consumerCount };
}

/** Each of them once: topologies may share queues. */
async function declareQueues(channel: Channel, topologies: readonly Topology[]): Promise<void> {
  const queues = new Map(topologies.flatMap((topology) => queuesOf(topology).map((queue) => [queue, topology])));
  for (const [queue, { durable, autoDelete, queueArguments }] of queues) {
    await agreed(channel.assertQueue(queue, { durable, autoDelete, arguments: { ...queueArguments } }));
  }
}

async function declareExchange(channel: Channel, { exchange, durable, autoDelete }: Topology): Promise<void> {
  await agreed(channel.assertExchange(exchange, 'topic', { durable, autoDelete }));
}

async function bindQueues(channel: Channel, topology: Topology): Promise<void> {
  const { exchange, routingKeys, pool, queuePrefix = '' } = topology;
  for (const key of routingKeys) await channel.bindQueue(pool ?? `${queuePrefix}${key}`, exchange, key);
}

function agreed(declared: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(declared).catch((error: unknown) => {
    throw disagreement(error) ?? error;
  });
}

const optionOf: ReadonlyMap<string, string> = new Map([
  ['durable', 'amqp_durable_queues'],
  ['auto_delete', 'amqp_auto_delete'],
  ['x-queue-type', 'rabbit_quorum_queue'],
  ['x-delivery-limit', 'rabbit_quorum_delivery_limit'],
  ['x-max-in-memory-length', 'rabbit_quorum_max_memory_length'],
  ['x-max-in-memory-bytes', 'rabbit_quorum_max_memory_bytes'],
]);

/**
 * `PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost 'v': received 'false' but current is 'true'`
 */
const INEQUIVALENT =
  /inequivalent arg '([^']+)' for (exchange|queue) '([^']+)' in vhost '[^']*': received (.+) but current is ([^"]+)/;

function disagreement(error: unknown): ConfigError | undefined {
  const text = error instanceof Error ? error.message : '';
  const [, argument = '', kind, name, received, current] = INEQUIVALENT.exec(text) ?? [];
  if (kind === undefined) return undefined;
  const option = optionOf.get(argument);
  const cure = option === undefined ? '' : `change [oslo_messaging_rabbit] ${option}, here or there, or `;
  return new ConfigError(
    `${kind} ${name} exists with another '${argument}': ${valueIn(current)} there, ${valueIn(received)} here; ` +
      `${cure}delete the ${kind}`,
  );
}

/** `true`, `none` or `quorum` out of `'true'`, `none` or `the value 'quorum' of type 'longstr'`. */
function valueIn(text = ''): string {
  return /'([^']*)'/.exec(text)?.[1] ?? text.trim();
}
