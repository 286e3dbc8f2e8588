/** `notifier://[user:password@host:port/vhost][?topic=…&policy=…]`: metering messages and events for other agents. */
import { randomUUID } from 'node:crypto';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { ConfigError, DeliveryError } from '../errors.ts';
import { BrokerConnection, type ConnectionUser } from '../messaging/connection.ts';
import { MESSAGE_PROPERTIES, type MessageFormat, wrapNotification } from '../messaging/envelope.ts';
import { configuredUrl, connectionOptions, topologyOptions, withUrlOptions } from '../messaging/rabbit-options.ts';
import { declareTopology, type Topology } from '../messaging/topology.ts';
import { parseTransportUrl } from '../messaging/transport-url.ts';
import { UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, Publisher, PublisherUrl } from '../plugin.ts';
import { compareStrings } from '../python/value.ts';
import { isoTimestamp } from '../sample.ts';
import { createDropLog } from '../util/drop-log.ts';
import type { JsonObject, JsonValue } from '../wire/value.ts';
import { createEventMessages, createMeterMessages } from './records.ts';

type Kind = 'sample' | 'event';
type Policy = 'default' | 'drop' | 'queue';

interface Outgoing {
  readonly kind: Kind;
  readonly body: Buffer;
}

/** Drivers of oslo.messaging that mean the broker that we speak with. */
const drivers = ['rabbit', 'kombu', 'kombu+rabbit', 'kombu+amqp', 'kombu+pyamqp', 'kombu+amqps'] as const;

export function notifierPublisher(url: PublisherUrl, host: Host): Publisher {
  const { config, log } = host;
  const options = new UrlOptions(url);
  const topic = options.text('topic');
  const policy = options.choice<Policy>('policy', ['default', 'drop', 'queue'], 'default');
  const maxQueueLength = options.integer('max_queue_length', 1024, 1);
  const perMeterTopic = options.integer('per_meter_topic', 0) > 0;
  const driver = options.choice('driver', drivers, 'rabbit');
  // Upstream counts attempts; here it is [notification] publish_timeout that ends them.
  options.integer('max_retry', 100);
  options.refuseOthers();

  const transport =
    url.authority === '' ? configuredUrl(config) : parseTransportUrl(`${driver}://${url.authority}${url.path}`);
  const { group, warnings } = withUrlOptions(config.osloMessagingRabbit, transport);
  for (const warning of warnings) log.warn({ publisher: url.shown }, warning);
  const eventTypes: Readonly<Record<Kind, string>> = {
    sample: config.publisherNotifier.meteringTopic,
    event: config.publisherNotifier.eventTopic,
  };
  const topologyOf = (kind: Kind): Topology =>
    topologyOptions(group, config.default.controlExchange, [`${topic ?? eventTypes[kind]}.sample`]);
  const sender = createSender(
    (user) => new BrokerConnection(connectionOptions(group, transport, 'ceilometer-agent-notification'), user, log),
    { sample: topologyOf('sample'), event: topologyOf('event') },
  );
  const drops = createDropLog(log, 'a message could not be published and is lost, as the policy of its publisher says');
  const queue: Outgoing[] = [];

  const toMeter = createMeterMessages(config.publisher.telemetrySecret);
  const toEvent = createEventMessages(config.publisher.telemetrySecret);
  const format = messageFormat(config.publisherNotifier.telemetryDriver);
  const publisherId = `telemetry.publisher.${host.hostname}`;

  function message(kind: Kind, eventType: string, payload: JsonValue): Outgoing {
    const ends = {
      messageId: randomUUID(),
      publisherId,
      eventType,
      priority: 'SAMPLE',
      timestamp: isoTimestamp(Date.now()).replace('T', ' '),
      uniqueId: randomUUID().replaceAll('-', ''),
    } as const;
    return { kind, body: Buffer.from(wrapNotification(ends, payload, format), 'latin1') };
  }

  async function publish(messages: readonly Outgoing[], signal: AbortSignal): Promise<void> {
    if (policy === 'default') {
      await Promise.all(messages.map((one) => sender.send(one, signal)));
      return;
    }
    if (policy === 'queue') queue.push(...messages);
    const waiting = policy === 'queue' ? queue.splice(0) : [...messages];
    while (waiting.length > 0) {
      const [next] = waiting;
      if (next === undefined) break;
      try {
        await sender.send(next, signal);
        waiting.shift();
      } catch (error) {
        signal.throwIfAborted();
        if (policy === 'queue') queue.unshift(...waiting);
        else drops.note(url.shown, { publisher: url.shown, reason: String(error) });
        break;
      }
    }
    while (queue.length > maxQueueLength) {
      queue.shift();
      drops.note(url.shown, { publisher: url.shown, reason: `more than ${maxQueueLength} messages wait` });
    }
  }

  return {
    publishSamples(batch, signal) {
      const meters = batch.map(toMeter);
      const all = message('sample', eventTypes.sample, meters);
      return publish([all, ...(perMeterTopic ? byMeter(meters) : [])], signal);
    },
    publishEvents: (batch, signal) => publish([message('event', eventTypes.event, batch.map(toEvent))], signal),
    close: () => sender.close(),
  };

  /** Once more, meter by meter: the old way to have a topic for each. */
  function byMeter(meters: readonly JsonObject[]): readonly Outgoing[] {
    const names = [...new Set(meters.map(({ counter_name: name }) => String(name)))].sort(compareStrings);
    return names.map((name) =>
      message(
        'sample',
        `${eventTypes.sample}.${name}`,
        meters.filter(({ counter_name: other }) => other === name),
      ),
    );
  }
}

function messageFormat(driver: string): MessageFormat {
  if (driver === 'messagingv2' || driver === 'messaging') return driver;
  throw new ConfigError(
    `[publisher_notifier] telemetry_driver: '${driver}' is not supported here: use messagingv2 or messaging`,
  );
}

interface Sender {
  /** Settles when the broker has the message. */
  send(message: Outgoing, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Connects with the first message. */
function createSender(
  connect: (user: ConnectionUser) => BrokerConnection,
  topologies: Readonly<Record<Kind, Topology>>,
): Sender {
  let connection: BrokerConnection | undefined;
  let channel: ConfirmChannel | undefined;
  let declared = new Set<Kind>();
  let opened: ConfirmChannel | undefined;

  const user: ConnectionUser = {
    async setUp(model: ChannelModel) {
      const next = await model.createConfirmChannel();
      next.on('error', (error) => connection?.reset(error));
      declared = new Set();
      opened = next;
    },
    connected() {
      channel = opened;
    },
    lost() {
      channel = undefined;
    },
    blocked() {},
  };

  async function openChannel(signal: AbortSignal): Promise<ConfirmChannel> {
    connection ??= connect(user);
    const end = Date.now() + 1000;
    while (channel === undefined && Date.now() < end && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (channel === undefined) throw new DeliveryError('no connection to the message broker', { retryable: true });
    return channel;
  }

  return {
    async send({ kind, body }, signal) {
      const open = await openChannel(signal);
      const topology = topologies[kind];
      const [routingKey = ''] = topology.routingKeys;
      try {
        if (!declared.has(kind)) {
          await declareTopology(open, topology);
          declared.add(kind);
        }
        await new Promise<void>((resolve, reject) => {
          open.publish(topology.exchange, routingKey, body, MESSAGE_PROPERTIES, (error: unknown) =>
            error === null || error === undefined ? resolve() : reject(error),
          );
        });
      } catch (error) {
        throw new DeliveryError('the message broker did not take a message', { cause: error, retryable: true });
      }
    },
    close: async () => connection?.close(),
  };
}
