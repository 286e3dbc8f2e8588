import type { Config } from '../config/options.ts';
import { ConfigError, describeError } from '../errors.ts';
import { type DeliveryStats, DropLog } from '../messaging/delivery-stats.ts';
import type { MessageFormat } from '../messaging/envelope.ts';
import { createMemoryStore } from '../messaging/memory-store.ts';
import type { OutgoingMessage } from '../messaging/message-store.ts';
import { Notifier, type NotifierOptions } from '../messaging/notifier.ts';
import { configuredUrl, connectionOptions, topologyOptions, withUrlOptions } from '../messaging/rabbit-options.ts';
import { createDrafts } from '../messaging/sample-messages.ts';
import type { Logger } from '../plugin.ts';
import type { Batch, Output } from './output.ts';

/** Enough to keep a distant broker busy: with answers after 50 ms, 5 000 samples a second. */
const WINDOW_BYTES = 524_288;

export interface AmqpOutputOptions {
  readonly notifier: NotifierOptions;
  /** `[publisher] telemetry_secret`; empty leaves signatures out. */
  readonly secret: string;
  readonly format: MessageFormat;
  readonly maxMessageBytes: number;
  readonly maxQueueBytes: number;
  /** Odd things about the options, to be logged. */
  readonly warnings: readonly string[];
}

export interface AmqpOutput extends Output {
  readonly stats: DeliveryStats;
}

/** What the configuration says about sending samples; undefined when they are not to be sent at all. */
export function amqpOptions(config: Config): AmqpOutputOptions | undefined {
  const driver = config.publisherNotifier.telemetryDriver;
  if (!config.polling.enableNotifications || driver === 'noop') return undefined;
  if (driver !== 'messagingv2' && driver !== 'messaging') {
    throw new ConfigError(
      `[publisher_notifier] telemetry_driver: '${driver}' is not supported: use messagingv2, messaging or noop`,
    );
  }
  const notifications = config.osloMessagingNotifications;
  const url = configuredUrl(config);
  const { group: rabbit, warnings } = withUrlOptions(config.osloMessagingRabbit, url);
  const routingKeys = notifications.topics.map((topic) => `${topic}.sample`);
  return {
    notifier: {
      connection: connectionOptions(rabbit, url, 'ceilometer-polling'),
      topology: topologyOptions(rabbit, config.default.controlExchange, routingKeys),
      // What is on the wire cannot be dropped, so it must not fill the queue.
      windowBytes: Math.min(WINDOW_BYTES, config.polling.maxQueueBytes / 2),
      retries: notifications.retry,
      unroutableTimeout: rabbit.kombuMissingConsumerRetryTimeout * 1000,
    },
    secret: config.publisher.telemetrySecret,
    format: driver,
    maxMessageBytes: config.polling.maxMessageBytes,
    maxQueueBytes: config.polling.maxQueueBytes,
    warnings,
  };
}

/** Sends samples to a notification agent over a message broker. Connects at once and keeps trying for ever. */
export function createAmqpOutput(options: AmqpOutputOptions, log: Logger): AmqpOutput {
  for (const warning of options.warnings) log.warn({}, warning);
  const drops = new DropLog(log);
  const notifier = new Notifier(options.notifier, createMemoryStore(options.maxQueueBytes), drops, log);
  const draft = createDrafts({
    secret: options.secret,
    format: options.format,
    routingKeys: options.notifier.topology.routingKeys,
    maxMessageBytes: options.maxMessageBytes,
    refused: ({ name, resourceId }, reason) =>
      drops.drop('invalid', { samples: 1 }, { meter: name, resource: resourceId, reason: describeError(reason) }),
  });

  async function deliver(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<void> {
    for (const message of messages) await notifier.publish(message, signal);
  }

  /** Samples become bytes at once: those of a batch that fills slowly would grow old, and each waits for room. */
  function begin(): Batch {
    const { add, finish } = draft();
    return { add, publish: (signal) => deliver(finish(), signal) };
  }

  return {
    stats: notifier.stats,
    publish(samples, signal) {
      const batch = begin();
      for (const sample of samples) batch.add(sample);
      return batch.publish(signal);
    },
    begin,
    flush: (signal) => notifier.flush(signal),
    close: () => notifier.close(),
  };
}
