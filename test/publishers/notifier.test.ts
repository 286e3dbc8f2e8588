import type { ChannelModel, GetMessage } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { NotificationSample } from '../../src/notification.ts';
import { parsePublisherUrl } from '../../src/pipeline/publisher-url.ts';
import type { Publisher } from '../../src/plugin.ts';
import { notifierPublisher } from '../../src/publishers/notifier.ts';
import { getKey } from '../../src/python/value.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { createSigner, signedText } from '../../src/wire/signature.ts';
import { isList, isObject, type JsonValue, WholeFloat } from '../../src/wire/value.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { describeWith } from '../helpers/services.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';

const never = new AbortController().signal;

function sample(name: string): NotificationSample {
  const nothing = { userId: null, userName: null, projectId: 'p', projectName: null };
  const rest = {
    unit: 'u',
    resourceId: 'é',
    timestamp: '2026-03-01T00:00:00+00:00',
    source: 'openstack',
    id: `id-${name}`,
  };
  return { name, type: 'gauge', volume: new WholeFloat(2), metadata: { a: [1, 'é'], b: {} }, ...nothing, ...rest };
}

describeWith('rabbitmq', 'notifier://', () => {
  let rabbit: Rabbitmq;

  beforeAll(async () => {
    rabbit = await startRabbitmq();
  });

  afterAll(async () => {
    await rabbit?.[Symbol.asyncDispose]();
  });

  async function open(options = '', port = rabbit.port) {
    const vhost = rabbit.vhost();
    const { config } = loadConfig({
      files: [],
      dirs: [],
      env: {
        OS_DEFAULT__TRANSPORT_URL: `rabbit://guest:guest@127.0.0.1:${port}/${vhost}`,
        OS_DEFAULT__HOST: 'me',
        OS_PUBLISHER__TELEMETRY_SECRET: 's3cr3t',
      },
    });
    const log = recordingLog();
    const publisher: Publisher = notifierPublisher(parsePublisherUrl(`notifier://${options}`), createHost(config, log));
    return { publisher, broker: await rabbit.connect(vhost), log };
  }

  async function taken(
    broker: ChannelModel,
    queue: string,
  ): Promise<readonly { message: GetMessage; inner: JsonValue }[]> {
    const channel = await broker.createChannel();
    const messages = [];
    for (let message = await channel.get(queue); message !== false; message = await channel.get(queue)) {
      const inner = getKey(parseExactJson(message.content.toString()), 'oslo.message');
      messages.push({ message, inner: parseExactJson(String(inner)) });
    }
    await channel.close();
    return messages;
  }

  it('sends signed metering messages as upstream does', async () => {
    const { publisher, broker } = await open();

    await publisher.publishSamples?.([sample('a'), sample('b')], never);
    await publisher.close();
    const [first, ...others] = await taken(broker, 'metering.sample');

    expect(others).toEqual([]);
    expect(first?.message.fields).toMatchObject({ exchange: 'ceilometer', routingKey: 'metering.sample' });
    expect(first?.message.properties).toMatchObject({ contentType: 'application/json', deliveryMode: 2, headers: {} });
    expect(first?.inner).toMatchObject({
      publisher_id: 'telemetry.publisher.me',
      event_type: 'metering',
      priority: 'SAMPLE',
    });
    const payload = getKey(first?.inner, 'payload');
    const list = payload !== undefined && isList(payload) ? payload : [];
    expect(list.map((meter) => getKey(meter, 'counter_name'))).toEqual(['a', 'b']);
    expect(Object.keys(isObject(list[0] ?? null) ? Object(list[0]) : {})).toHaveLength(15);
    for (const meter of list) {
      const signed = isObject(meter) ? signedText(meter) : '';
      expect(getKey(meter, 'message_signature')).toBe(createSigner('s3cr3t')(signed));
    }
  });

  it('sends events to their own topic, and each meter once more with per_meter_topic', async () => {
    const { publisher, broker } = await open('?per_meter_topic=1&topic=other');

    await publisher.publishSamples?.([sample('b'), sample('a'), sample('b')], never);
    await publisher.close();
    const messages = await taken(broker, 'other.sample');

    expect(messages.map(({ inner }) => getKey(inner, 'event_type'))).toEqual(['metering', 'metering.a', 'metering.b']);

    const events = await open();
    const event = { messageId: 'm', eventType: 'x', generated: '2026-03-01T00:00:00', raw: {} };
    await events.publisher.publishEvents?.([{ ...event, traits: [{ name: 't', type: 'text', value: 'v' }] }], never);
    await events.publisher.close();
    const [sent] = await taken(events.broker, 'event.sample');
    expect(getKey(sent?.inner, 'payload')).toMatchObject([
      { message_id: 'm', event_type: 'x', traits: [['t', 1, 'v']] },
    ]);
  });

  it('rejects while its broker is away, keeps what the policy queue keeps, and counts what drop drops', async () => {
    const proxy = await startTcpProxy(rabbit.port);
    await proxy.refuse();
    const byDefault = await open('', proxy.port);
    const queueing = await open('?policy=queue&max_queue_length=2', proxy.port);
    const dropping = await open('?policy=drop', proxy.port);

    await expect(byDefault.publisher.publishSamples?.([sample('a')], never)).rejects.toMatchObject({ retryable: true });
    await dropping.publisher.publishSamples?.([sample('a')], never);
    for (const name of ['a', 'b', 'c']) await queueing.publisher.publishSamples?.([sample(name)], never);
    await proxy.forward();
    await expect
      .poll(
        async () => {
          await queueing.publisher.publishSamples?.([sample('d')], never);
          const channel = await queueing.broker.createChannel();
          channel.on('error', () => {});
          const found = await channel.checkQueue('metering.sample').catch(() => ({ messageCount: 0 }));
          return found.messageCount;
        },
        { timeout: PATIENCE, interval: 500 },
      )
      .toBeGreaterThan(1);
    for (const { publisher } of [byDefault, queueing, dropping]) await publisher.close();
    await proxy[Symbol.asyncDispose]();

    expect(dropping.log.told.join()).toMatch(/is lost, as the policy of its publisher says/);
    expect(
      queueing.log.fields('a message could not be published and is lost, as the policy of its publisher says'),
    ).not.toEqual([]);
  });
});
