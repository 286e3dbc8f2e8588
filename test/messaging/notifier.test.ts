import { afterAll, beforeAll, expect, it } from 'vitest';
import { deliver, message, messages, openInbox, publishAll, QUEUE } from '../helpers/delivery.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';

const soon = () => AbortSignal.timeout(20_000);

describeWith('rabbitmq', 'delivery to a message broker', () => {
  let broker: Rabbitmq;
  beforeAll(async () => {
    broker = await startRabbitmq();
  });
  afterAll(() => broker[Symbol.asyncDispose]());

  it('sends with the properties of oslo.messaging and resolves when the broker has it all', async () => {
    const vhost = broker.vhost();
    await using delivery = deliver(broker.port, vhost);

    await publishAll(delivery.notifier, [message('a'), message('b')]);
    const undelivered = await delivery.notifier.flush(soon());

    const stock = await broker.connect(vhost);
    const inbox = await openInbox(stock);
    await inbox.has(2);
    expect(undelivered).toBe(0);
    expect(inbox.bodies).toEqual(['a', 'b']);
    for (const { properties, fields } of inbox.messages) {
      const given = Object.entries(properties).filter(([, value]) => value !== undefined);
      expect(Object.fromEntries(given)).toEqual({
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        headers: {},
        deliveryMode: 2,
        priority: 0,
      });
      expect([fields.exchange, fields.routingKey]).toEqual(['ceilometer', QUEUE]);
    }
    expect(delivery.notifier.stats).toMatchObject({
      connected: true,
      connects: 1,
      sent: { messages: 2, samples: 2 },
      confirmed: { messages: 2, samples: 2 },
      resent: { messages: 0 },
      queued: { messages: 0, samples: 0, bytes: 0 },
    });
    await stock.close();
  });

  it('keeps what comes before there is a broker, and delivers it when there is', async () => {
    const vhost = broker.vhost();
    await using proxy = await startTcpProxy(broker.port);
    await proxy.refuse();
    await using delivery = deliver(proxy.port, vhost);

    await publishAll(delivery.notifier, messages(10));
    await until('the fault is told', () => delivery.log.told.length > 0);
    const early = await delivery.notifier.flush(AbortSignal.timeout(300));
    await proxy.forward();
    const late = await delivery.notifier.flush(soon());

    expect([early, late]).toEqual([10, 0]);
    expect(delivery.log.told).toEqual([
      'error no connection to the message broker',
      'info connected to the message broker',
    ]);
    expect(delivery.log.lines[0]?.fields).toMatchObject({
      broker: `127.0.0.1:${proxy.port}`,
      reason: 'connection refused',
    });
  });

  it('loses nothing and keeps the order when the connection is cut in mid-publish', async () => {
    const vhost = broker.vhost();
    await using proxy = await startTcpProxy(broker.port);
    await using delivery = deliver(proxy.port, vhost);
    const all = messages(5000);

    proxy.cutAfter(100_000);
    const publishing = publishAll(delivery.notifier, all);
    for (let cuts = 1; cuts < 4; cuts += 1) {
      await until('the next connection', () => proxy.accepted > cuts);
      proxy.cutAfter(300_000);
    }
    await publishing;
    const undelivered = await delivery.notifier.flush(soon());

    const stock = await broker.connect(vhost);
    const inbox = await openInbox(stock);
    await until('every message', () => inbox.firsts.length === all.length);
    expect(undelivered).toBe(0);
    expect(inbox.firsts).toEqual(all.map((_, index) => index));
    expect(new Set(inbox.bodies).size).toBe(all.length);
    expect(delivery.notifier.stats.connects).toBeGreaterThan(3);
    expect(delivery.notifier.stats.resent.messages).toBeGreaterThan(0);
    expect(delivery.notifier.stats.confirmed.messages).toBe(all.length);
    await stock.close();
  });
});
