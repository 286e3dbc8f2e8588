/** What the configuration says about listening: one listener for each broker. */
import type { Config } from '../config/options.ts';
import { ConfigError } from '../errors.ts';
import type { ListenerOptions } from './listener.ts';
import { configuredUrl, connectionOptions, topologyOptions, withUrlOptions } from './rabbit-options.ts';
import { parseTransportUrl } from './transport-url.ts';

/** oslo.messaging listens to all of them, whatever the pipelines use: what nobody takes would fill the queues. */
const priorities = ['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample'] as const;

/** Upstream waits for ever until a batch is full. */
const DEFAULT_BATCH_TIMEOUT = 1;

export interface ListenerPlan {
  readonly options: ListenerOptions;
  /** Odd things, to be logged. */
  readonly warnings: readonly string[];
}

/** Throws {@link ConfigError}. */
export function listenerPlans(config: Config, programName: string): readonly ListenerPlan[] {
  const { notification, osloMessagingNotifications: notifications } = config;
  const exchanges = [...new Set(notification.notificationControlExchanges)];
  const topics = [...new Set(notifications.topics)];
  if (exchanges.length === 0)
    throw new ConfigError('[notification] notification_control_exchanges: expected at least one');
  if (topics.length === 0) throw new ConfigError('[oslo_messaging_notifications] topics: expected at least one');
  const urls =
    notification.messagingUrls.length > 0 ? notification.messagingUrls.map(parseTransportUrl) : [configuredUrl(config)];
  const pool = notification.pool === '' ? {} : { pool: notification.pool };
  const routingKeys = topics.flatMap((topic) => priorities.map((priority) => `${topic}.${priority}`));
  return urls.map((url) => {
    const { group, warnings } = withUrlOptions(config.osloMessagingRabbit, url);
    return {
      warnings,
      options: {
        connection: connectionOptions(group, url, programName),
        topologies: exchanges.map((exchange) => ({ ...topologyOptions(group, exchange, routingKeys), ...pool })),
        prefetch: prefetchOf(group.rabbitQosPrefetchCount, notification.batchSize),
        maxBytes: notification.maxPrefetchBytes,
        parallel: config.default.maxParallelRequests,
        batchSize: notification.batchSize,
        batchTimeout: (notification.batchTimeout ?? DEFAULT_BATCH_TIMEOUT) * 1000,
        deadLetters: {
          queue: notification.deadLetterQueue === '' ? undefined : notification.deadLetterQueue,
          maxLength: notification.deadLetterMaxLength,
        },
      },
    };
  });
}

/** A batch has to fit, or it would never be full. */
function prefetchOf(count: number, batchSize: number): number {
  return count <= 0 ? 0 : Math.min(Math.max(count, batchSize), 65_535);
}
