/** `[oslo_messaging_rabbit]`, and what a transport URL says instead for itself. */
import { camelCase, type OptionValue } from '../config/option.ts';
import { rabbitOptions } from '../config/options/messaging.ts';
import type { Config } from '../config/options.ts';
import { parseValue } from '../config/value.ts';
import { ConfigError, describeError } from '../errors.ts';
import type { ConnectionOptions } from './connection.ts';
import type { TlsOptions } from './open-connection.ts';
import type { Topology } from './topology.ts';
import { parseTransportUrl, type TransportUrl } from './transport-url.ts';

export type RabbitConfig = Config['osloMessagingRabbit'];

const CONNECT_TIMEOUT = 10_000;

/** The broker of `[oslo_messaging_notifications]`, or that of all. Throws {@link ConfigError} with its place. */
export function configuredUrl(config: Config): TransportUrl {
  const own = config.osloMessagingNotifications.transportUrl;
  try {
    return parseTransportUrl(own ?? config.default.transportUrl);
  } catch (error) {
    const place = config.place(own === undefined ? 'DEFAULT' : 'oslo_messaging_notifications', 'transport_url');
    throw new ConfigError(`${place}: ${describeError(error)}`);
  }
}

/** The group as it holds for one URL, and what about the URL is odd. */
export function withUrlOptions(group: RabbitConfig, url: TransportUrl) {
  const warnings: string[] = [];
  const given: [name: string, value: OptionValue][] = [];
  for (const [name, text] of Object.entries(url.options)) {
    const option = Object.entries(rabbitOptions).find(([known]) => known === name)?.[1];
    if (option === undefined) {
      warnings.push(`the transport URL has an unknown option '${name}'`);
      continue;
    }
    const parsed = parseValue(option, [text]);
    if ('expected' in parsed) throw new ConfigError(`invalid transport URL: ${name}: expected ${parsed.expected}`);
    given.push([camelCase(name), parsed.value]);
  }
  const merged: RabbitConfig = { ...group, ...Object.fromEntries(given) };
  if (url.mixedUsers)
    warnings.push('the transport URL names a user for some hosts only: the others are tried as guest');
  const isTls = merged.ssl || url.tls;
  const files = [merged.sslCaFile, merged.sslCertFile, merged.sslKeyFile];
  if (isTls && merged.sslCaFile === '')
    warnings.push('the certificate of the message broker is not checked: [oslo_messaging_rabbit] ssl_ca_file is empty');
  if (!isTls && files.some((file) => file !== ''))
    warnings.push(
      'files for TLS are named, but the message broker is used without: [oslo_messaging_rabbit] ssl is false',
    );
  return { group: merged, warnings };
}

export function connectionOptions(group: RabbitConfig, url: TransportUrl, programName: string): ConnectionOptions {
  const login = group.rabbitLoginMethod;
  if (login === 'RABBIT-CR-DEMO')
    throw new ConfigError('[oslo_messaging_rabbit] rabbit_login_method: RABBIT-CR-DEMO is not supported');
  return {
    hosts: url.hosts,
    virtualHost: url.virtualHost,
    login,
    tls: group.ssl || url.tls ? tlsOptions(group) : undefined,
    heartbeat: group.heartbeatTimeoutThreshold,
    programName,
    shuffle: group.kombuFailoverStrategy === 'shuffle',
    connectTimeout: CONNECT_TIMEOUT,
    retry: {
      interval: group.rabbitRetryInterval * 1000,
      step: group.rabbitRetryBackoff * 1000,
      max: group.rabbitIntervalMax * 1000,
      afterLoss: (group.kombuReconnectDelay + group.kombuReconnectSplay) * 1000,
    },
  };
}

export function topologyOptions(group: RabbitConfig, exchange: string, routingKeys: readonly string[]): Topology {
  const quorum = {
    'x-queue-type': 'quorum',
    ...positive('x-delivery-limit', group.rabbitQuorumDeliveryLimit),
    ...positive('x-max-in-memory-length', group.rabbitQuorumMaxMemoryLength),
    ...positive('x-max-in-memory-bytes', group.rabbitQuorumMaxMemoryBytes),
  };
  return {
    exchange,
    routingKeys,
    // Quorum queues are durable, and oslo.messaging then declares the exchange so as well.
    durable: group.amqpDurableQueues || group.rabbitQuorumQueue,
    autoDelete: group.amqpAutoDelete,
    queueArguments: group.rabbitQuorumQueue ? quorum : {},
  };
}

function positive(name: string, value: number): Readonly<Record<string, number>> {
  return value > 0 ? { [name]: value } : {};
}

const versions: ReadonlyMap<string, TlsOptions['version']> = new Map([
  ['', undefined],
  ['sslv23', undefined],
  ['tlsv1', 'TLSv1'],
  ['tlsv1_1', 'TLSv1.1'],
  ['tlsv1_2', 'TLSv1.2'],
  ['tlsv1_3', 'TLSv1.3'],
]);

function tlsOptions(group: RabbitConfig): TlsOptions {
  const name = group.sslVersion.toLowerCase();
  if (!versions.has(name)) {
    throw new ConfigError('[oslo_messaging_rabbit] ssl_version: expected TLSv1, TLSv1_1, TLSv1_2, TLSv1_3 or SSLv23');
  }
  return {
    caFile: group.sslCaFile || undefined,
    certFile: group.sslCertFile || undefined,
    keyFile: group.sslKeyFile || undefined,
    checkHostName: group.sslEnforceHostnameVerification,
    version: versions.get(name),
  };
}
