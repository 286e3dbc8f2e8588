/** What oslo.messaging declares before it sends, so that messages are kept even before the first consumer comes. */
import type { Channel } from 'amqplib';
import { ConfigError } from '../errors.ts';

export interface Topology {
  readonly exchange: string;
  /** Of the messages, and the names of the queues bound for them. */
  readonly routingKeys: readonly string[];
  /** In front of the routing keys in the names of the queues, for who wants a copy of what others take. */
  readonly queuePrefix?: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly queueArguments: Readonly<Record<string, string | number>>;
}

/** The queues, one for each routing key. */
export function queuesOf({ routingKeys, queuePrefix = '' }: Topology): readonly string[] {
  return routingKeys.map((key) => `${queuePrefix}${key}`);
}

/** Closes the channel when it throws. A ConfigError says which option does not agree with the other programs. */
export async function declareTopology(channel: Channel, topology: Topology): Promise<void> {
  const { exchange, durable, autoDelete } = topology;
  try {
    await channel.assertExchange(exchange, 'topic', { durable, autoDelete });
    for (const [index, queue] of queuesOf(topology).entries()) {
      await channel.assertQueue(queue, { durable, autoDelete, arguments: { ...topology.queueArguments } });
      await channel.bindQueue(queue, exchange, topology.routingKeys[index] ?? '');
    }
  } catch (error) {
    throw disagreement(error) ?? error;
  }
}

const optionOf: ReadonlyMap<string, string> = new Map([
  ['durable', 'amqp_durable_queues'],
  ['auto_delete', 'amqp_auto_delete'],
  ['x-queue-type', 'rabbit_quorum_queue'],
  ['x-delivery-limit', 'rabbit_quorum_delivery_limit'],
  ['x-max-in-memory-length', 'rabbit_quorum_max_memory_length'],
  ['x-max-in-memory-bytes', 'rabbit_quorum_max_memory_bytes'],
]);

/** `PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost 'v': received 'false' but current is 'true'` */
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
