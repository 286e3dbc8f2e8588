/** The samples that polling agents send to a broker, as a stock notification agent would get them. */
import type { ChannelModel } from 'amqplib';
import { QUEUE } from './delivery.ts';

interface Envelope {
  readonly 'oslo.message': string;
}

interface Message<T> {
  readonly payload: { readonly samples: readonly T[] };
}

/** Everything that arrives from now on, and what is there already. */
export async function openSamplesInbox<T>(connection: ChannelModel): Promise<readonly T[]> {
  const arrived: T[] = [];
  const channel = await connection.createChannel();
  await channel.assertQueue(QUEUE, { durable: false });
  await channel.consume(
    QUEUE,
    (one) => {
      if (one === null) return;
      const { 'oslo.message': message } = JSON.parse(one.content.toString('utf8')) as Envelope;
      arrived.push(...(JSON.parse(message) as Message<T>).payload.samples);
    },
    { noAck: true },
  );
  return arrived;
}
