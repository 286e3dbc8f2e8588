import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { type DeliveryHandler, NotificationListener, type Verdict } from '../../src/messaging/listener.ts';
import { listenerPlans } from '../../src/messaging/listener-options.ts';
import { PROPERTIES } from '../helpers/notification-load.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { describeWith } from '../helpers/services.ts';
import { until } from '../helpers/until.ts';

const DONE: Verdict = { kind: 'done' };
const QUEUE = 'notifications.info';

describeWith('rabbitmq', 'the listener', () => {
  let rabbit: Rabbitmq;

  beforeAll(async () => {
    rabbit = await startRabbitmq();
  });

  afterAll(() => rabbit?.[Symbol.asyncDispose]());

  async function listening(bodies: readonly Buffer[], handle: DeliveryHandler) {
    const vhost = rabbit.vhost();
    const broker = await rabbit.connect(vhost);
    const sender = await broker.createConfirmChannel();
    await sender.assertQueue(QUEUE, { durable: false });
    for (const body of bodies) sender.sendToQueue(QUEUE, body, PROPERTIES);
    await sender.waitForConfirms();
    const { config } = loadConfig({
      files: [],
      dirs: [],
      env: {},
      overrides: { default: { transportUrl: `rabbit://guest:guest@127.0.0.1:${rabbit.port}/${vhost}` } },
    });
    const [plan] = listenerPlans(config, 'test');
    if (plan === undefined) throw new Error('no plan');
    const listener = new NotificationListener(plan.options, handle, recordingLog());
    return {
      listener,
      left: async () => (await sender.checkQueue(QUEUE)).messageCount,
      async [Symbol.asyncDispose]() {
        await listener.stop();
        await listener.close();
        await broker.close();
      },
    };
  }

  it('leaves the bytes of a message alone until there is a verdict on it', async () => {
    const bodies = Array.from({ length: 600 }, (_, index) => Buffer.alloc(1 + ((index * 977) % 90_000), index % 251));
    const wrong: number[] = [];
    let seen = 0;
    await using place = await listening(bodies, async ({ body }) => {
      const index = seen++;
      const expected = bodies[index];
      // Others come and go meanwhile.
      await new Promise((wake) => setTimeout(wake, (index * 7) % 23));
      if (expected === undefined || !body.equals(expected)) wrong.push(index);
      return DONE;
    });

    await until('all are done', () => place.listener.stats.done === bodies.length);

    expect(wrong).toEqual([]);
  });

  it('works on others while some take their time, however many bytes they have', async () => {
    const slow = 20;
    const bodies = Array.from({ length: 60 }, () => Buffer.alloc(80_000));
    let seen = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using place = await listening(bodies, async () => {
      if (seen++ < slow) await released;
      return DONE;
    });

    await until('the others are done', () => place.listener.stats.done === bodies.length - slow);
    release();
    await until('all are done', () => place.listener.stats.done === bodies.length);

    expect(place.listener.stats.inHand).toBe(0);
    expect(await place.left()).toBe(0);
  });
});
