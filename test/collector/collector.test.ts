import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Status } from '../../src/collector/api/schema.ts';
import { wrapNotification } from '../../src/messaging/envelope.ts';
import { createMeterMessages } from '../../src/publishers/records.ts';
import type { JsonValue } from '../../src/wire/value.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Postgresql, startPostgresql } from '../helpers/postgresql.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';
import { killedOver } from './kills.ts';
import { createRig, polled } from './rig.ts';

describeWith('rabbitmq', 'ceilometer-collector', () => {
  let broker: Rabbitmq;
  beforeAll(async () => {
    broker = await startRabbitmq();
  });
  afterAll(() => broker?.[Symbol.asyncDispose]());

  /** As a pipeline's notifier publisher sends samples. */
  function published(samples: readonly JsonValue[], eventType = 'metering'): string {
    const head = { messageId: 'm', publisherId: 'telemetry.publisher.node1', eventType, priority: 'SAMPLE' } as const;
    return wrapNotification({ ...head, timestamp: '2026-11-24 12:00:00', uniqueId: 'u' }, samples, 'messagingv2');
  }

  function meter(parts: object = {}, secret = ''): JsonValue {
    const { volume, ...sample } = polled(7, { resourceId: 'r2' });
    return createMeterMessages(secret)({ ...sample, volume, ...parts });
  }

  it('stores what agents poll and what pipelines publish, each sample once', async () => {
    const rig = await createRig(broker);
    const collector = await rig.start();
    const samples = Array.from({ length: 120 }, (_, slot) => polled(slot, { volume: 2n ** 63n + BigInt(slot) }));

    await rig.poll(samples.slice(0, 60));
    await rig.poll(samples);
    await rig.send('metering.sample', published([meter(), meter({ id: 'other', volume: 1.5 })]));
    await rig.send('metering.sample', published([meter()], 'metering.cpu'));

    // They count as received before they are stored.
    await eventually(async () => (await rig.ask('/v1/status')).received).toMatchObject({
      ...{ samples: 183, stored: 122, duplicates: 61, dead_letters: 0 },
    });
    const status = await rig.ask('/v1/status');
    expect(status.agents.map(({ agent, host }: { agent: string; host: string }) => [agent, host])).toEqual([
      ['ceilometer.polling', null],
      ['telemetry.publisher.node1', 'node1'],
    ]);
    const page = await rig.ask('/v1/samples?resource=r1&order=asc&limit=1000');
    expect(page.samples).toHaveLength(120);
    expect(page.samples[119].counter_volume).toBe(2n ** 63n + 119n);
    collector.kill('SIGTERM');
    expect(await collector.ended).toMatchObject({ code: 0 });
    expect((await rig.channel.checkQueue('metering.sample')).messageCount).toBe(0);
  });

  it('leaves what agents poll to the notification agents, unless it is to take it', async () => {
    const rig = await createRig(broker);
    await rig.channel.assertExchange('ceilometer', 'topic', { durable: false });
    await rig.channel.assertQueue('notifications.sample', { durable: false });
    await rig.channel.bindQueue('notifications.sample', 'ceilometer', 'notifications.sample');
    await rig.start();
    await rig.poll([polled(1)]);
    await eventually(async () => (await rig.ask('/v1/status')).store.samples).toBe(1);
    expect((await rig.channel.checkQueue('notifications.sample')).messageCount).toBe(1);

    const taker = await createRig(broker, 'polled_samples = take\n');
    await taker.start();
    await taker.poll([polled(1)]);

    await eventually(async () => (await taker.ask('/v1/status')).store.samples).toBe(1);
    expect((await taker.channel.checkQueue('notifications.sample')).messageCount).toBe(0);
  });

  it('keeps out what is not signed with its secret, and tells of it', async () => {
    const rig = await createRig(broker, '[publisher]\ntelemetry_secret = s3cr3t\n');
    const collector = await rig.start();

    await rig.poll([polled(1), polled(2)], 's3cr3t');
    await rig.poll([polled(3)], 'another');
    await rig.poll([polled(4)]);
    await rig.send(
      'metering.sample',
      published([meter({}, 's3cr3t'), meter({ id: 'x' }, 'another'), meter({ id: 'y' })]),
    );

    await eventually(async () => (await rig.ask('/v1/status')).received).toMatchObject({
      ...{ samples: 7, stored: 3, unsigned: 2, bad_signature: 2, dead_letters: 0 },
    });
    await collector.shows(/samples without a signature are kept out/);
    await collector.shows(/samples with a wrong signature are kept out/);
  });

  it('puts what it cannot read to the dead letters, and stores what else is in the message', async () => {
    const rig = await createRig(broker);
    await rig.start();

    await rig.send('metering.sample', 'no JSON');
    await rig.send('metering.sample', published([meter({ volume: 'much' }), meter({ id: 'good' })]));
    await rig.send(
      'metering.sample',
      wrapNotification(
        { messageId: 'm', publisherId: 'p', eventType: 'metering', priority: 'SAMPLE', timestamp: 't', uniqueId: 'u' },
        'text',
        'messagingv2',
      ),
    );
    await rig.send('metering.sample', published([meter({ id: 'event' })], 'compute.instance.exists'));

    await eventually(async () => (await rig.ask('/v1/status')).received).toMatchObject({ dead_letters: 3, invalid: 1 });
    expect((await rig.ask('/v1/status')).store.samples).toBe(1);
    await eventually(async () => (await rig.channel.checkQueue('ceilometer.dead_letters')).messageCount).toBe(3);
    const reasons: unknown[] = [];
    for (let index = 0; index < 3; index++) {
      const message = await rig.channel.get('ceilometer.dead_letters', { noAck: true });
      if (message !== false) reasons.push(message.properties.headers?.['x-reason']);
    }
    expect(reasons.join('\n')).toMatch(/the body is not JSON/);
    expect(reasons.join('\n')).toMatch(/counter_volume: expected a finite number, got "much"/);
    expect(reasons.join('\n')).toMatch(/has no list of samples/);
  });

  it('takes secret, token and retention from a new configuration on SIGHUP, and keeps the old one if that is bad', async () => {
    const rig = await createRig(broker, '[publisher]\ntelemetry_secret = old\n');
    const collector = await rig.start();
    const [, url = ''] = await collector.shows(/(http:\/\/127\.0\.0\.1:[0-9]+)/);
    const status = (token: string) => fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${token}` } });
    const seen = async () => (await (await status('t0k3n')).json()) as Status;
    const received = async () => (await seen()).received;
    const reload = async (config: string, shown: RegExp) => {
      rig.configure(config);
      collector.kill('SIGHUP');
      await collector.shows(shown);
    };

    await reload(
      'metering = 1\n[database]\nmetering_time_to_live = soon\n',
      /the old one goes on: .*metering_time_to_live/,
    );
    await reload('api_host = 0.0.0.0\n', /the old one goes on: .*api_token/);
    expect((await status('')).status).toBe(200);
    await rig.poll([polled(1)], 'old');
    await eventually(async () => (await received()).stored).toBe(1);

    await reload(
      'api_token = t0k3n\n[publisher]\ntelemetry_secret = new\n[database]\nmetering_time_to_live = 90000\n' +
        'connection = sqlite:////nowhere/else.db\n',
      /configuration reloaded/,
    );

    expect((await status('')).status).toBe(401);
    await rig.poll([polled(2)], 'old');
    await rig.poll([polled(3)], 'new');
    await eventually(received).toMatchObject({ stored: 2, bad_signature: 1 });
    const { store } = await seen();
    expect(store).toMatchObject({ time_to_live: 90_000, samples: 2 });
    await collector.shows(/take a restart: .*\[database\] connection/);
    collector.kill('SIGTERM');
    expect(await collector.ended).toMatchObject({ code: 0 });
  });

  it('refuses a second collector on its file, and takes over from one that was killed', async () => {
    const rig = await createRig(broker);
    const first = await rig.start();
    await rig.poll([polled(1)]);
    await eventually(async () => (await rig.ask('/v1/status')).store.samples).toBe(1);

    await expect(rig.start()).rejects.toThrow(/collector\.db is in use by process [0-9]+/);
    first.kill('SIGKILL');
    await first.ended;
    await rig.start();

    expect((await rig.ask('/v1/status')).store.samples).toBe(1);
  });

  it('loses and doubles nothing when it is killed at any moment', async () => {
    const rig = await createRig(broker);

    const { sent, stored } = await killedOver(rig, { times: 4, messages: 60 });

    expect(stored).toEqual(sent);
  }, 300_000);
});

describeWith(['rabbitmq', 'postgresql'], 'ceilometer-collector with PostgreSQL', () => {
  let broker: Rabbitmq;
  let server: Postgresql;
  beforeAll(async () => {
    [broker, server] = await Promise.all([startRabbitmq(), startPostgresql()]);
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('loses and doubles nothing when it is killed at any moment', async () => {
    const rig = await createRig(broker, `[database]\nconnection = ${await server.database()}\n`);

    const { sent, stored } = await killedOver(rig, { times: 3, messages: 60 });

    expect(stored).toEqual(sent);
  }, 300_000);

  it('waits for a database that is away, and stores what came in the meantime', async () => {
    const rig = await createRig(broker, `[database]\nconnection = ${await server.database()}\n`);
    const collector = await rig.start();
    await rig.poll([polled(1)]);
    await eventually(async () => (await rig.ask('/v1/status')).store.samples).toBe(1);

    const crashed = server.crash();
    await rig.poll([polled(2), polled(3)]);
    await crashed;

    // A database that has crashed takes its time to recover on a busy disk.
    const samples = async () => (await rig.ask('/v1/status').catch(() => ({ store: {} }))).store.samples;
    await eventually(samples).toBe(3);
    collector.kill('SIGTERM');
    expect(await collector.ended).toMatchObject({ code: 0 });
  });
});
