/** What the collector listens to: published samples, and what polling agents send. */
import type { Config } from '../config/options.ts';
import type { ListenerPlan } from '../messaging/listener-options.ts';
import { configuredUrl, connectionOptions, topologyOptions, withUrlOptions } from '../messaging/rabbit-options.ts';
import type { Topology } from '../messaging/topology.ts';

/** Put in front of the name of the notification agents' queue, it is the name of the collector's copy. */
const COPY_PREFIX = 'collector.';

/** Bytes of messages in hand beyond which no more are asked for. */
const MAX_BYTES = 67_108_864;

/** Queues of others that the collector has copies of. */
export function copiedQueues({ collector, osloMessagingNotifications: { topics } }: Config): readonly string[] {
  return collector.polledSamples === 'copy' ? [...new Set(topics)].map((topic) => `${topic}.sample`) : [];
}

/** Throws `ConfigError`. */
export function collectorPlan(config: Config, programName: string): ListenerPlan {
  const notifications = config.osloMessagingNotifications;
  const url = configuredUrl(config);
  const { group, warnings } = withUrlOptions(config.osloMessagingRabbit, url);
  const exchange = config.default.controlExchange;
  const topologies: Topology[] = [
    topologyOptions(group, exchange, [`${config.publisherNotifier.meteringTopic}.sample`]),
  ];
  const polled = config.collector.polledSamples;
  if (polled !== 'ignore') {
    const topology = topologyOptions(
      group,
      exchange,
      [...new Set(notifications.topics)].map((topic) => `${topic}.sample`),
    );
    topologies.push(polled === 'copy' ? { ...topology, queuePrefix: COPY_PREFIX } : topology);
  }
  return {
    warnings,
    options: {
      connection: connectionOptions(group, url, programName),
      topologies,
      prefetch: Math.max(0, Math.min(group.rabbitQosPrefetchCount, 65_535)),
      maxBytes: MAX_BYTES,
      parallel: Number.POSITIVE_INFINITY,
      batchSize: 1,
      batchTimeout: 0,
      deadLetters: {
        queue: config.notification.deadLetterQueue === '' ? undefined : config.notification.deadLetterQueue,
        maxLength: config.notification.deadLetterMaxLength,
      },
    },
  };
}
