import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBodyPool } from '../../src/messaging/body-pool.ts';
import { deliver, message, messages, openInbox, publishAll, QUEUE } from '../helpers/delivery.ts';
import { soon } from '../helpers/patience.ts';
import { freePorts } from '../helpers/ports.ts';
import { MAX_MESSAGE_BYTES, type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';

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

  it('delivers bodies from a pool as they were given, those that need several frames, too', async () => {
    const vhost = broker.vhost();
    await using delivery = deliver(broker.port, vhost);
    const pool = createBodyPool(1_000_000);
    const texts = [10, 100_000, 131_064, 131_065, 400_000, 3_000].map((size, index) => `${index}`.repeat(size));
    const stock = await broker.connect(vhost);

    // The second time in memory that the first has been sent from.
    for (const round of [1, 2]) {
      for (const text of texts) {
        const body = pool.take(text.length);
        body.write(text);
        const done = () => pool.give(body);
        await delivery.notifier.publish({ ...message(''), body, samples: round, done }, soon());
      }
      await delivery.notifier.flush(soon());
    }

    const inbox = await openInbox(stock);
    await inbox.has(2 * texts.length);
    expect(inbox.bodies).toEqual([...texts, ...texts]);
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

    proxy.cutAfter(100_000, 300_000, 300_000, 300_000);
    await publishAll(delivery.notifier, all);
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
    expect(new Set(delivery.log.told)).toEqual(
      new Set(['info connected to the message broker', 'warn lost the connection to the message broker']),
    );
    await stock.close();
  });

  it('finds the host that lives among several', async () => {
    const [dead = 0] = await freePorts(1);
    await using delivery = deliver([dead, broker.port, dead], broker.vhost());

    await publishAll(delivery.notifier, messages(3));

    expect(await delivery.notifier.flush(soon())).toBe(0);
    expect(delivery.log.fields('connected to the message broker')).toMatchObject([
      { broker: `127.0.0.1:${broker.port}` },
    ]);
  });

  it('moves on to the next host when the one it uses goes away', async () => {
    const vhost = broker.vhost();
    await using one = await startTcpProxy(broker.port);
    await using two = await startTcpProxy(broker.port);
    await using delivery = deliver([one.port, two.port], vhost);
    await until('a connection', () => delivery.notifier.stats.connected);
    const [used, other] = one.open > 0 ? [one, two] : [two, one];

    await used.refuse();
    await publishAll(delivery.notifier, messages(3));

    expect(await delivery.notifier.flush(soon())).toBe(0);
    expect(other.open).toBe(1);
  });

  it.each([
    [
      'password',
      { user: 'guest', password: 'nope' },
      undefined,
      "the broker refused user 'guest': check the user and password of the transport URL",
    ],
    [
      'virtual host',
      { user: 'guest', password: 'guest' },
      'nowhere',
      "the broker refused virtual host 'nowhere': it does not exist, or user 'guest' may not use it",
    ],
    [
      'user for the virtual host',
      { user: 'nobody', password: 'guest' },
      undefined,
      "the broker refused virtual host 'v0': it does not exist, or user 'nobody' may not use it",
    ],
  ])('tells once that the %s is wrong, and keeps trying', async (_, user, virtualHost, reason) => {
    await using proxy = await startTcpProxy(broker.port);
    const hosts = [{ host: '127.0.0.1', port: proxy.port, ...user }];
    await using delivery = deliver(proxy.port, virtualHost ?? 'v0', { hosts });

    await publishAll(delivery.notifier, messages(3));
    await until('several attempts', () => proxy.accepted > 3);

    expect(delivery.log.told).toEqual(['error no connection to the message broker']);
    expect(delivery.log.lines[0]?.fields).toMatchObject({ reason });
    expect(JSON.stringify(delivery.log.lines)).not.toContain('nope');
    expect(delivery.notifier.stats).toMatchObject({ connected: false, queued: { samples: 3 } });
  });

  it.each(['PLAIN', 'AMQPLAIN'] as const)('logs in by %s with any user and password', async (login) => {
    const vhost = broker.vhost();
    const hosts = [{ host: '127.0.0.1', port: broker.port, user: 'té:st@/', password: 'p@ss/wörd' }];
    await using delivery = deliver(broker.port, vhost, { hosts, login });

    await publishAll(delivery.notifier, messages(1));

    expect(await delivery.notifier.flush(soon())).toBe(0);
  });

  it('notices a network that swallows everything, and delivers after it is back', async () => {
    const vhost = broker.vhost();
    await using proxy = await startTcpProxy(broker.port);
    await using delivery = deliver(proxy.port, vhost, { heartbeat: 2, connectTimeout: 2000 });
    await publishAll(delivery.notifier, messages(3));
    await delivery.notifier.flush(soon());

    proxy.stall();
    await publishAll(delivery.notifier, messages(6).slice(3));
    await until('the connection is given up', () => !delivery.notifier.stats.connected);
    await until('an attempt fails', () => delivery.log.fields('no connection to the message broker').length > 0);
    await proxy.forward();
    const undelivered = await delivery.notifier.flush(soon());

    const stock = await broker.connect(vhost);
    const inbox = await openInbox(stock);
    await until('every message', () => inbox.firsts.length === 6);
    expect(undelivered).toBe(0);
    expect(delivery.log.fields('lost the connection to the message broker')).toHaveLength(1);
    expect(delivery.log.fields('no connection to the message broker')).toMatchObject([
      { reason: 'connecting not done after 2 s' },
    ]);
    await stock.close();
  });

  it('declares a queue again that was deleted, and loses nothing', async () => {
    const vhost = broker.vhost();
    await using delivery = deliver(broker.port, vhost);
    const all = messages(300);
    await publishAll(delivery.notifier, all.slice(0, 10));
    await delivery.notifier.flush(soon());
    const stock = await broker.connect(vhost);
    const channel = await stock.createChannel();
    await channel.deleteQueue(QUEUE);

    await publishAll(delivery.notifier, all.slice(10));
    const undelivered = await delivery.notifier.flush(soon());

    const inbox = await openInbox(stock);
    await until('the rest', () => inbox.firsts.length === 290);
    expect(undelivered).toBe(0);
    expect(inbox.firsts).toEqual(all.slice(10).map((_, index) => index + 10));
    expect(delivery.notifier.stats).toMatchObject({ connects: 1, dropped: { unroutable: { messages: 0 } } });
    expect(delivery.notifier.stats.returned.messages).toBeGreaterThan(0);
    expect(delivery.log.told).toEqual([
      'info connected to the message broker',
      'warn the message broker did not take samples, sending them again',
    ]);
    await stock.close();
  });

  it('declares an exchange again that was deleted, and loses nothing', async () => {
    const vhost = broker.vhost();
    await using delivery = deliver(broker.port, vhost);
    await until('a connection', () => delivery.notifier.stats.connected);
    const stock = await broker.connect(vhost);
    const channel = await stock.createChannel();
    await channel.deleteExchange('ceilometer');

    await publishAll(delivery.notifier, messages(300));
    const undelivered = await delivery.notifier.flush(soon());

    const inbox = await openInbox(stock);
    await until('every message', () => inbox.firsts.length === 300);
    expect(undelivered).toBe(0);
    expect(delivery.log.fields('lost the connection to the message broker')).toMatchObject([
      { reason: expect.stringContaining("NOT_FOUND - no exchange 'ceilometer'") },
    ]);
    expect(delivery.log.told).toEqual([
      'info connected to the message broker',
      'warn lost the connection to the message broker',
      'info connected to the message broker',
    ]);
    await stock.close();
  });

  it('sends again what the broker did not take', async () => {
    const vhost = broker.vhost();
    const queueArguments = { 'x-max-length': 5, 'x-overflow': 'reject-publish' };
    await using delivery = deliver(broker.port, vhost, { queueArguments });
    await publishAll(delivery.notifier, messages(40));
    const full = await delivery.notifier.flush(AbortSignal.timeout(300));

    const stock = await broker.connect(vhost);
    const inbox = await openInbox(stock);
    const undelivered = await delivery.notifier.flush(soon());

    await until('every message', () => inbox.firsts.length === 40);
    expect(full).toBeGreaterThan(0);
    expect(undelivered).toBe(0);
    await stock.close();
  });

  it('gives up what no queue takes after a while', async () => {
    await using delivery = deliver(broker.port, broker.vhost(), { unroutableTimeout: 1000 });

    await publishAll(delivery.notifier, [{ ...message('x'), routingKey: 'nowhere' }, message('y')]);

    expect(await delivery.notifier.flush(soon())).toBe(0);
    expect(delivery.notifier.stats).toMatchObject({
      confirmed: { messages: 1 },
      dropped: { unroutable: { messages: 1, samples: 1 } },
    });
    expect(delivery.notifier.stats.returned.messages).toBeGreaterThan(1);
    expect(delivery.log.told).toContain('error dropping samples that no queue of the message broker takes');
  });

  it('gives up what was sent as often as allowed', async () => {
    await using delivery = deliver(broker.port, broker.vhost(), { retries: 2 });

    await publishAll(delivery.notifier, [{ ...message('x'), routingKey: 'nowhere' }]);

    expect(await delivery.notifier.flush(soon())).toBe(0);
    expect(delivery.notifier.stats).toMatchObject({
      sent: { messages: 1 },
      resent: { messages: 2 },
      dropped: { retries: { messages: 1 } },
    });
  });

  it('gives up a message that is too large for the broker, and no other', async () => {
    const vhost = broker.vhost();
    await using delivery = deliver(broker.port, vhost);

    await publishAll(delivery.notifier, [message('0 '), message(`1 ${'x'.repeat(MAX_MESSAGE_BYTES)}`), message('2 ')]);
    const undelivered = await delivery.notifier.flush(soon());

    const stock = await broker.connect(vhost);
    const inbox = await openInbox(stock);
    await until('the others', () => inbox.firsts.length === 2);
    expect(undelivered).toBe(0);
    expect(inbox.firsts).toEqual([0, 2]);
    expect(delivery.notifier.stats.dropped.too_large).toMatchObject({ messages: 1, samples: 1 });
    await stock.close();
  });

  it('bounds what it keeps while there is no broker, and drops the oldest', async () => {
    const vhost = broker.vhost();
    await using proxy = await startTcpProxy(broker.port);
    await proxy.refuse();
    await using delivery = deliver(proxy.port, vhost, { maxQueueBytes: 30_000 });

    await publishAll(delivery.notifier, messages(1000, 300));
    const { queued } = delivery.notifier.stats;
    const [samples, bytes] = [queued.samples, queued.bytes];
    await proxy.forward();
    await delivery.notifier.flush(soon());

    const stock = await broker.connect(vhost);
    const inbox = await openInbox(stock);
    await inbox.has(100);
    expect([samples, bytes]).toEqual([100, 30_000]);
    expect(inbox.firsts).toEqual(Array.from({ length: 100 }, (_, index) => 900 + index));
    expect(delivery.notifier.stats.dropped.queue_full).toMatchObject({ messages: 900, samples: 900 });
    expect(delivery.log.told.filter((line) => line.includes('drop'))).toEqual([
      'error the queue is full, dropping the oldest samples',
      'warn dropped samples',
    ]);
    expect(delivery.log.fields('dropped samples')).toEqual([{ reason: 'queue_full', samples: 900 }]);
    await stock.close();
  });

  it('waits for room rather than drop while the broker keeps up', async () => {
    const vhost = broker.vhost();
    await using delivery = deliver(broker.port, vhost, { maxQueueBytes: 30_000 });
    await until('a connection', () => delivery.notifier.stats.connected);

    await publishAll(delivery.notifier, messages(1000, 300));
    const undelivered = await delivery.notifier.flush(soon());

    expect(undelivered).toBe(0);
    expect(delivery.notifier.stats.confirmed.messages).toBe(1000);
    expect(delivery.notifier.stats.dropped.queue_full.messages).toBe(0);
  });

  it('does not wait for room beyond the signal', async () => {
    await using proxy = await startTcpProxy(broker.port);
    await using delivery = deliver(proxy.port, broker.vhost(), { maxQueueBytes: 1000 });
    await until('a connection', () => delivery.notifier.stats.connected);
    proxy.stall();
    const signal = AbortSignal.timeout(100);

    for (const one of messages(10)) await delivery.notifier.publish(one, signal);

    expect(signal.aborted).toBe(true);
    expect(delivery.notifier.stats.connected).toBe(true);
    expect(delivery.notifier.stats.queued.samples + delivery.notifier.stats.dropped.queue_full.samples).toBe(10);
  });

  it.each([
    [
      'durable',
      'true there, false here; change [oslo_messaging_rabbit] amqp_durable_queues, here or there, or delete the queue',
      { durable: true },
      {},
    ],
    [
      'x-queue-type',
      'none there, quorum here; change [oslo_messaging_rabbit] rabbit_quorum_queue, here or there',
      { durable: true },
      { durable: true, queueArguments: { 'x-queue-type': 'quorum' } },
    ],
    [
      'auto_delete',
      'true there, false here; change [oslo_messaging_rabbit] amqp_auto_delete',
      { durable: false, autoDelete: true },
      {},
    ],
  ])(
    "names the option when a queue exists with another '%s', and goes on when it is gone",
    async (_, cure, theirs, ours) => {
      const vhost = broker.vhost();
      const stock = await broker.connect(vhost);
      const channel = await stock.createChannel();
      await channel.assertQueue(QUEUE, theirs);
      await using delivery = deliver(broker.port, vhost, ours);
      await publishAll(delivery.notifier, messages(5));
      await until('the fault is told', () => delivery.log.told.length > 0);

      await channel.deleteQueue(QUEUE);
      const undelivered = await delivery.notifier.flush(soon());

      expect(undelivered).toBe(0);
      expect(delivery.log.told).toEqual([
        'error no connection to the message broker',
        'info connected to the message broker',
      ]);
      expect(JSON.stringify(delivery.log.lines[0]?.fields)).toContain(cure);
      await stock.close();
    },
  );

  it('stops sending while the broker is blocked, and goes on after', async () => {
    const vhost = broker.vhost();
    await using delivery = deliver(broker.port, vhost);
    await publishAll(delivery.notifier, messages(1));
    await delivery.notifier.flush(soon());

    await broker.evaluate('rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).');
    await publishAll(delivery.notifier, messages(1));
    await until('it is blocked', () => delivery.notifier.stats.blocked);
    await publishAll(delivery.notifier, messages(20));
    const blocked = await delivery.notifier.flush(AbortSignal.timeout(100));
    await broker.evaluate('rabbit_alarm:clear_alarm({resource_limit, memory, node()}).');
    const undelivered = await delivery.notifier.flush(soon());

    expect(blocked).toBe(21);
    expect(undelivered).toBe(0);
    expect(delivery.notifier.stats.blocked).toBe(false);
    expect(delivery.log.told).toEqual([
      'info connected to the message broker',
      'warn the message broker takes no messages for now',
      'info the message broker takes messages again',
    ]);
  });

  it.each(['refuse', 'stall'] as const)('closes soon when the broker does nothing but %s', async (fault) => {
    await using proxy = await startTcpProxy(broker.port);
    const delivery = deliver(proxy.port, broker.vhost());
    await until('a connection', () => delivery.notifier.stats.connected);
    await proxy[fault]();
    await publishAll(delivery.notifier, messages(3));

    await delivery.notifier.close();
    if (fault === 'stall') await proxy.forward();

    expect(delivery.notifier.stats.queued.samples).toBe(3);
    await until('the socket is gone', () => proxy.open === 0);
  });

  it('closes soon while it is connecting', async () => {
    await using proxy = await startTcpProxy(broker.port);
    proxy.stall();
    const delivery = deliver(proxy.port, broker.vhost());
    await until('an attempt', () => proxy.accepted > 0);

    await delivery.notifier.close();
    await proxy.forward();

    await until('the socket is gone', () => proxy.open === 0);
    expect(delivery.log.told).toEqual([]);
  });

  it('leaves nothing behind of twenty connections', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    await using proxy = await startTcpProxy(broker.port);
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    const delivery = deliver(proxy.port, broker.vhost());

    for (let round = 1; round <= 20; round += 1) {
      await until(`connection ${round}`, () => delivery.notifier.stats.connects >= round);
      await publishAll(delivery.notifier, messages(5));
      proxy.cut();
    }
    const undelivered = await delivery.notifier.flush(soon());
    await delivery.notifier.close();

    await until('all sockets are gone', () => proxy.open === 0 && sockets() <= before);
    process.off('warning', warn);
    expect(undelivered).toBe(0);
    expect(delivery.notifier.stats.connects).toBeGreaterThanOrEqual(20);
    expect(warnings).toEqual([]);
  });
});
