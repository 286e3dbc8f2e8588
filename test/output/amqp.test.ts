import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, type Overrides } from '../../src/config/load.ts';
import { unwrapMessage } from '../../src/messaging/envelope.ts';
import { type AmqpOutputOptions, amqpOptions, createAmqpOutput } from '../../src/output/amqp.ts';
import type { Sample } from '../../src/sample.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isObject } from '../../src/wire/value.ts';
import { openInbox } from '../helpers/delivery.ts';
import { goldenObjects, object, objects, sampleOf, string } from '../helpers/golden-wire.ts';
import { soon } from '../helpers/patience.ts';
import { hasOpenssl, makePki } from '../helpers/pki.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { describeWith } from '../helpers/services.ts';
import { until } from '../helpers/until.ts';

function configure(overrides: Overrides): AmqpOutputOptions {
  const options = amqpOptions(loadConfig({ files: [], dirs: [], env: {}, overrides }).config);
  if (options === undefined) throw new Error('samples are not to be sent');
  return options;
}

const at = (transportUrl: string, rabbit: Overrides['osloMessagingRabbit'] = {}) =>
  configure({ default: { transportUrl }, osloMessagingRabbit: rabbit });

describe('amqpOptions', () => {
  it('has the defaults of oslo.messaging', () => {
    const { notifier, ...options } = configure({});

    expect(options).toEqual({
      secret: 'change this for valid signing',
      format: 'messagingv2',
      maxMessageBytes: 1_048_576,
      maxQueueBytes: 67_108_864,
      warnings: [],
    });
    expect(notifier.topology).toEqual({
      exchange: 'ceilometer',
      routingKeys: ['notifications.sample'],
      durable: false,
      autoDelete: false,
      queueArguments: {},
    });
    expect(notifier.connection).toEqual({
      hosts: [{ host: 'localhost', port: 5672, user: 'guest', password: 'guest' }],
      virtualHost: '/',
      login: 'AMQPLAIN',
      tls: undefined,
      heartbeat: 60,
      programName: 'ceilometer-polling',
      shuffle: false,
      connectTimeout: 10_000,
      retry: { interval: 1000, step: 2000, max: 30_000, afterLoss: 1000 },
    });
    expect([notifier.retries, notifier.unroutableTimeout]).toEqual([-1, 60_000]);
  });

  it('prefers the transport URL of notifications', () => {
    const { notifier } = configure({
      default: { transportUrl: 'rabbit://rpc' },
      osloMessagingNotifications: { transportUrl: 'rabbit://notify/v' },
    });

    expect(notifier.connection.hosts).toMatchObject([{ host: 'notify' }]);
    expect(notifier.connection.virtualHost).toBe('v');
  });

  it('sends to every topic', () => {
    const { notifier } = configure({ osloMessagingNotifications: { topics: ['notifications', 'audit'] } });

    expect(notifier.topology.routingKeys).toEqual(['notifications.sample', 'audit.sample']);
  });

  it('lets options in the URL count more than the group', () => {
    const { notifier } = at(
      'rabbit://h/?heartbeat_timeout_threshold=7&amqp_durable_queues=true&ssl=1&ssl_ca_file=/ca',
      {
        heartbeatTimeoutThreshold: 30,
      },
    );

    expect(notifier.connection.heartbeat).toBe(7);
    expect(notifier.topology.durable).toBe(true);
    expect(notifier.connection.tls).toEqual({
      caFile: '/ca',
      certFile: undefined,
      keyFile: undefined,
      checkHostName: true,
      version: undefined,
    });
  });

  it('declares quorum queues as oslo.messaging does', () => {
    const { notifier } = at('rabbit://', { rabbitQuorumQueue: true, rabbitQuorumDeliveryLimit: 3 });

    expect(notifier.topology).toMatchObject({
      durable: true,
      queueArguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 },
    });
  });

  it('tells odd things about the transport URL', () => {
    expect(at('rabbit://u:p@h1,h2/?retries=3&ssl=true').warnings).toEqual([
      "the transport URL has an unknown option 'retries'",
      'the transport URL names a user for some hosts only: the others are tried as guest',
      'the certificate of the message broker is not checked: [oslo_messaging_rabbit] ssl_ca_file is empty',
    ]);
  });

  it('tells of files for TLS where there is none', () => {
    expect(at('rabbit://h', { sslCaFile: '/etc/ca.pem' }).warnings).toEqual([
      'files for TLS are named, but the message broker is used without: [oslo_messaging_rabbit] ssl is false',
    ]);
    expect(at('rabbit://h', { sslCaFile: '/etc/ca.pem', ssl: true }).warnings).toEqual([]);
  });

  it.each<[Overrides]>([
    [{ polling: { enableNotifications: false } }],
    [{ publisherNotifier: { telemetryDriver: 'noop' } }],
  ])('is nothing when samples are not to be sent: %j', (overrides) => {
    expect(amqpOptions(loadConfig({ files: [], dirs: [], env: {}, overrides }).config)).toBeUndefined();
  });

  it.each<[Overrides, string]>([
    [
      { publisherNotifier: { telemetryDriver: 'log' } },
      "[publisher_notifier] telemetry_driver: 'log' is not supported",
    ],
    [
      { default: { transportUrl: 'kafka://h' } },
      "[DEFAULT] transport_url: invalid transport URL: unknown scheme 'kafka'",
    ],
    [{ default: { transportUrl: 'rabbit://h/?ssl=maybe' } }, 'invalid transport URL: ssl: expected true or false'],
    [{ osloMessagingRabbit: { rabbitLoginMethod: 'RABBIT-CR-DEMO' } }, 'RABBIT-CR-DEMO is not supported'],
    [
      { osloMessagingRabbit: { ssl: true, sslVersion: 'SSLv3' } },
      '[oslo_messaging_rabbit] ssl_version: expected TLSv1',
    ],
  ])('refuses %j', (overrides, reason) => {
    expect(() => configure(overrides)).toThrow(reason);
  });
});

describeWith('rabbitmq', 'samples over a message broker', () => {
  const withTls = hasOpenssl();
  const golden = goldenObjects('compute/golden/master-default.samples.json.gz').slice(0, 120);
  const folder = mkdtempSync(join(tmpdir(), 'ceilometer-pki-'));
  const certificate = (name: string) => join(folder, name);
  let broker: Rabbitmq;
  beforeAll(async () => {
    if (withTls) {
      mkdirSync(certificate('other'));
      await Promise.all([makePki(folder), makePki(certificate('other'))]);
    }
    const [ca, cert, key] = ['cacert.pem', 'servercert.pem', 'serverkey.pem'].map(certificate);
    broker = await startRabbitmq(withTls && ca && cert && key ? { tls: { ca, cert, key } } : {});
  });
  afterAll(async () => {
    await broker[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Resolves to the broker, and is not in its certificate. */
  const otherName = '127.1';
  const url = (vhost: string) => `rabbit://guest:guest@127.0.0.1:${broker.port}/${vhost}`;

  async function send(options: AmqpOutputOptions, samples: readonly Sample[] = golden.slice(0, 3).map(sampleOf)) {
    const log = recordingLog();
    const output = createAmqpOutput(options, log);
    try {
      for (let start = 0; start < samples.length; start += 50) {
        await output.publish(samples.slice(start, start + 50), soon());
      }
      return { undelivered: await output.flush(soon()), log, stats: output.stats };
    } finally {
      await output.close();
    }
  }

  it('leaves in the broker what the real agent leaves there', async () => {
    const vhost = broker.vhost();
    await send(at(url(vhost)));
    const stock = await broker.connect(vhost);
    const inbox = await openInbox(stock);
    await inbox.has(1);
    await stock.close();

    const listed = await Promise.all([
      broker.ctl('list_exchanges', '-p', vhost, 'name', 'type', 'durable', 'auto_delete', 'internal', 'arguments'),
      broker.ctl('list_queues', '-p', vhost, 'name', 'durable', 'auto_delete', 'exclusive', 'arguments', 'messages'),
      broker.ctl('list_bindings', '-p', vhost),
    ]);

    const fixture = readFileSync(new URL('../fixtures/wire/master-default.broker.txt', import.meta.url), 'utf8');
    const lines = (text: string) =>
      text
        .split('\n')
        .filter((line) => !line.startsWith('amq.'))
        .sort();
    expect(lines(listed.join('\n'))).toEqual(lines(fixture.trimEnd()));
  });

  it('sends what a stock consumer verifies, sample by sample', async () => {
    const vhost = broker.vhost();

    const { undelivered, log } = await send(at(url(vhost)), golden.map(sampleOf));

    const stock = await broker.connect(vhost);
    const inbox = await openInbox(stock);
    await inbox.has(3);
    const arrived = inbox.bodies.flatMap((body) => {
      const inner = parseExactJson(string(object({ outer: parseExactJson(body) }, 'outer'), 'oslo.message'));
      return isObject(inner) ? objects(object(inner, 'payload'), 'samples') : [];
    });
    expect(undelivered).toBe(0);
    expect(arrived.map((sample) => stringifyJson(sample))).toEqual(golden.map((sample) => stringifyJson(sample)));
    expect(inbox.bodies.map((body) => unwrapMessage(body))).toMatchObject([
      { publisher_id: 'ceilometer.polling', event_type: 'telemetry.polling', priority: 'SAMPLE' },
      { publisher_id: 'ceilometer.polling', event_type: 'telemetry.polling', priority: 'SAMPLE' },
      { publisher_id: 'ceilometer.polling', event_type: 'telemetry.polling', priority: 'SAMPLE' },
    ]);
    expect(log.told).toEqual(['info connected to the message broker']);
    await stock.close();
  });

  it.each<[string, Overrides['osloMessagingRabbit']]>([
    ['durable', { amqpDurableQueues: true }],
    ['quorum', { rabbitQuorumQueue: true, rabbitQuorumDeliveryLimit: 3 }],
    ['auto-delete', { amqpAutoDelete: true }],
  ])('agrees with a stock listener about %s queues', async (kind, rabbit) => {
    const vhost = broker.vhost();
    const stock = await broker.connect(vhost);
    const channel = await stock.createChannel();
    const options = { durable: kind !== 'auto-delete', autoDelete: kind === 'auto-delete' };
    const quorum = { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 };
    await channel.assertExchange('ceilometer', 'topic', options);
    await channel.assertQueue('notifications.sample', { ...options, arguments: kind === 'quorum' ? quorum : {} });

    const { undelivered } = await send(at(url(vhost), rabbit));

    const inbox = await openInbox(stock);
    await inbox.has(1);
    expect(undelivered).toBe(0);
    await stock.close();
  });

  it('sends a copy to each topic, and bare messages where the driver says so', async () => {
    const vhost = broker.vhost();
    const topics = ['notifications', 'other'];

    await send(
      configure({
        default: { transportUrl: url(vhost) },
        osloMessagingNotifications: { topics },
        publisherNotifier: { telemetryDriver: 'messaging' },
      }),
    );

    const stock = await broker.connect(vhost);
    const inboxes = await Promise.all(topics.map((topic) => openInbox(stock, `${topic}.sample`)));
    for (const inbox of inboxes) await inbox.has(1);
    const [first, second] = inboxes.map(({ bodies }) => JSON.parse(bodies[0] ?? ''));
    expect(first).toMatchObject({ event_type: 'telemetry.polling', message_id: second.message_id });
    expect(first._unique_id).not.toBe(second._unique_id);
    await stock.close();
  });

  it('counts what it cannot write, and sends the rest', async () => {
    const [one, two] = golden.map(sampleOf);
    if (one === undefined || two === undefined) throw new Error('no samples');
    const wrong = JSON.parse('{}');
    wrong.callback = () => 1;

    const { stats, log } = await send(at(url(broker.vhost())), [{ ...one, metadata: wrong }, two]);

    expect(stats.dropped.invalid).toMatchObject({ samples: 1 });
    expect(stats.confirmed.samples).toBe(1);
    expect(log.fields('dropping samples that cannot be written as messages')).toMatchObject([
      { meter: one.name, resource: one.resourceId, reason: 'function is not a value that JSON can carry' },
    ]);
  });

  describe.skipIf(!withTls)('over TLS (needs openssl)', () => {
    const tlsUrl = (host: string, vhost: string) => `rabbit://guest:guest@${host}:${broker.tlsPort}/${vhost}`;

    it('delivers to a broker whose certificate the authority signed', async () => {
      const { undelivered, log } = await send(
        at(tlsUrl('127.0.0.1', broker.vhost()), { ssl: true, sslCaFile: certificate('cacert.pem') }),
      );

      expect(undelivered).toBe(0);
      expect(log.lines).toMatchObject([{ message: 'connected to the message broker', fields: { tls: true } }]);
    });

    it('delivers without any check where no authority is named, and says so', async () => {
      const { undelivered, log } = await send(at(tlsUrl('127.0.0.1', broker.vhost()), { ssl: true }));

      expect(undelivered).toBe(0);
      expect(log.told[0]).toContain('is not checked');
    });

    it('shows the certificate of its own', async () => {
      const { undelivered } = await send(
        at(tlsUrl('127.0.0.1', broker.vhost()), {
          ssl: true,
          sslCaFile: certificate('cacert.pem'),
          sslCertFile: certificate('clientcert.pem'),
          sslKeyFile: certificate('clientkey.pem'),
          sslVersion: 'TLSv1_2',
        }),
      );

      expect(undelivered).toBe(0);
    });

    it('takes another host name where the check of it is off', async () => {
      const { undelivered } = await send(
        at(tlsUrl(otherName, broker.vhost()), {
          ssl: true,
          sslCaFile: certificate('cacert.pem'),
          sslEnforceHostnameVerification: false,
        }),
      );

      expect(undelivered).toBe(0);
    });

    it.each([
      ['of another authority', '127.0.0.1', 'other/cacert.pem', "the broker's certificate was not accepted: "],
      [
        'of another host',
        otherName,
        'cacert.pem',
        "the broker's certificate was not accepted: Hostname/IP does not match",
      ],
    ] as const)('refuses a certificate %s', async (_, host, authority, reason) => {
      const log = recordingLog();
      const options = at(tlsUrl(host, 'v0'), { ssl: true, sslCaFile: certificate(authority) });

      const output = createAmqpOutput(options, log);
      await until('the fault is told', () => log.told.length > 0);
      await output.close();

      expect(log.fields('no connection to the message broker')).toMatchObject([
        { reason: expect.stringContaining(reason) },
      ]);
    });

    it.each([
      ['TLS to a port in the clear', 'port', { ssl: true }, /^the broker does not speak TLS on this port$/],
      [
        'a file that is not there',
        'tlsPort',
        { ssl: true, sslCaFile: '/nowhere/ca.pem' },
        /^cannot read \[oslo_messaging_rabbit\] ssl_ca_file: ENOENT/,
      ],
      [
        'no TLS to a port with TLS',
        'tlsPort',
        {},
        /the broker closed the connection before it was open|connection reset/,
      ],
    ] as const)('says what is wrong with %s', async (_, port, rabbit, reason) => {
      const log = recordingLog();

      const output = createAmqpOutput(at(`rabbit://guest:guest@127.0.0.1:${broker[port]}/v0`, rabbit), log);
      await until('the fault is told', () => log.fields('no connection to the message broker').length > 0);
      await output.close();

      expect(log.fields('no connection to the message broker')).toMatchObject([
        { reason: expect.stringMatching(reason) },
      ]);
    });
  });
});
