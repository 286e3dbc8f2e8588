import type { Message } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAcknowledger } from '../../src/messaging/acknowledger.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';
import { until } from '../helpers/until.ts';

describeWith('rabbitmq', 'acknowledgements', () => {
  let rabbit: Rabbitmq;

  beforeAll(async () => {
    rabbit = await startRabbitmq();
  });

  afterAll(() => rabbit?.[Symbol.asyncDispose]());

  /** Takes eight messages; what `act` does not acknowledge is in the queue again afterwards. */
  async function leftOver(act: (acks: ReturnType<typeof createAcknowledger>, taken: readonly Message[]) => void) {
    const model = await rabbit.connect(rabbit.vhost());
    const sender = await model.createConfirmChannel();
    await sender.assertQueue('q');
    for (let index = 0; index < 8; index++) sender.sendToQueue('q', Buffer.from(String(index)));
    await sender.waitForConfirms();
    const channel = await model.createChannel();
    const failures: unknown[] = [];
    const acks = createAcknowledger(channel, (error) => failures.push(error));
    const taken: Message[] = [];
    await channel.consume('q', (message) => {
      if (message === null) return;
      acks.received(message);
      taken.push(message);
    });
    await until('eight messages are taken', () => taken.length === 8);
    act(acks, taken.slice(0, 8));
    acks.flush();
    await channel.close();
    const left: string[] = [];
    for (let got = await sender.get('q'); got !== false; got = await sender.get('q')) left.push(String(got.content));
    await model.close();
    expect(failures).toEqual([]);
    return left;
  }

  it('leave in the queue what is still in hand, wherever it stands', async () => {
    const left = await leftOver((acks, taken) => {
      for (const index of [7, 0, 1, 4, 3, 6]) acks.done(taken[index] as Message);
    });

    expect(left).toEqual(['2', '5']);
  });

  it('go on past one that was slow, and one that goes back', async () => {
    const left = await leftOver((acks, taken) => {
      const [slow, next, back, ...others] = taken as [Message, Message, Message];
      acks.done(next);
      acks.flush();
      acks.done(slow);
      for (const message of others) acks.done(message);
      acks.abandoned(back);
    });

    expect(left).toEqual(['2']);
  });

  it('tell of few messages, too, without being asked to', async () => {
    const model = await rabbit.connect(rabbit.vhost());
    const sender = await model.createConfirmChannel();
    await sender.assertQueue('q');
    for (let index = 0; index < 80; index++) sender.sendToQueue('q', Buffer.from(String(index)));
    await sender.waitForConfirms();
    const channel = await model.createChannel();
    // What the broker hands out beyond that tells of acknowledgements.
    await channel.prefetch(40);
    const acks = createAcknowledger(channel, () => {});
    const taken: Message[] = [];
    await channel.consume('q', (message) => {
      if (message === null) return;
      acks.received(message);
      taken.push(message);
    });
    await until('40 messages are taken', () => taken.length === 40);

    for (const message of taken.slice(0, 37)) acks.done(message);

    await until('37 more are taken', () => taken.length === 77);
    acks.done(taken[38] as Message);
    await until('one more is taken', () => taken.length === 78);
    await model.close();
  });

  it('tell of a channel that is gone', async () => {
    const model = await rabbit.connect(rabbit.vhost());
    const channel = await model.createChannel();
    const failures: unknown[] = [];
    const acks = createAcknowledger(channel, (error) => failures.push(error));
    await channel.assertQueue('q');
    channel.sendToQueue('q', Buffer.from('0'));
    let taken: Message | false = false;
    while (taken === false) taken = await channel.get('q');
    acks.received(taken);
    await channel.close();

    acks.done(taken);
    acks.flush();

    expect(failures).toHaveLength(1);
    await model.close();
  });
});
