/** Notifications in bulk, as services and polling agents send them, in the queues of a broker. */
import { randomUUID } from 'node:crypto';
import type { ChannelModel } from 'amqplib';
import { goldenCases } from './golden-notifications.ts';

export const PROPERTIES = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: {},
  deliveryMode: 2,
  priority: 0,
};

export interface Load {
  readonly exchange: string;
  readonly routingKey: string;
  /** Makes the n-th message; all of them differ in their ids. */
  body(index: number): Buffer;
}

function idIn(body: string, key: string): string {
  const [, id] = new RegExp(`\\\\?"${key}\\\\?": \\\\?"([^"\\\\]+)`).exec(body) ?? [];
  if (id === undefined) throw new Error(`a message has no ${key}`);
  return id;
}

/** With ids of its own. */
function renewed(body: string): Buffer {
  const text = body
    .replaceAll(idIn(body, 'message_id'), randomUUID())
    .replaceAll(idIn(body, '_unique_id'), randomUUID().replaceAll('-', ''));
  return Buffer.from(text);
}

/** 50 polled samples in each message. */
export function pollingLoad(): Load {
  const [golden] = goldenCases().filter(({ name }) => name === 'polling.fifty');
  if (golden === undefined) throw new Error('the case polling.fifty is gone');
  return {
    exchange: 'ceilometer',
    routingKey: 'notifications.sample',
    body(index) {
      // Another id for each sample: the last digits of the recorded ones make way for the number of the message.
      const number = index.toString(16).padStart(8, '0');
      const text = golden.body.replace(
        /(\\"message_id\\": \\"[0-9a-f-]{28})[0-9a-f]{8}(\\", \\"monotonic_time)/g,
        `$1${number}$2`,
      );
      return Buffer.from(text.replace(/(\\"_unique_id\\": \\")[0-9a-f]{24}/, `$1${number.padStart(24, '0')}`));
    },
  };
}

/** Compute, volume, image and network notifications, one after another. */
export function mixedLoad(): Load {
  const chosen = goldenCases().filter(
    ({ name, loops, routingKey, samples, events }) =>
      /^(?:nova|cinder|glance|neutron)\./.test(name) &&
      !loops &&
      routingKey === 'notifications.info' &&
      events.length > 0 &&
      (samples.length > 0 || name.startsWith('neutron')),
  );
  return {
    exchange: 'nova',
    routingKey: 'notifications.info',
    body: (index) => renewed(chosen[index % chosen.length]?.body ?? ''),
  };
}

/** Publishes messages with confirms into a queue that is declared as a sender of oslo.messaging does. */
export async function preload(broker: ChannelModel, load: Load, count: number): Promise<void> {
  const channel = await broker.createConfirmChannel();
  await channel.assertExchange(load.exchange, 'topic', { durable: false, autoDelete: false });
  await channel.assertQueue(load.routingKey, { durable: false, autoDelete: false });
  await channel.bindQueue(load.routingKey, load.exchange, load.routingKey);
  for (let index = 0; index < count; index++) {
    channel.publish(load.exchange, load.routingKey, load.body(index), PROPERTIES);
    if (index % 500 === 499) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
  await channel.close();
}

/** How many messages of a queue nobody has taken yet. */
export async function depth(broker: ChannelModel, queue: string): Promise<number> {
  const channel = await broker.createChannel();
  const { messageCount } = await channel.checkQueue(queue);
  await channel.close();
  return messageCount;
}
