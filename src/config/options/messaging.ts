import type { OptionGroup } from '../option.ts';
import { notYet } from '../option.ts';

const noRpc = 'the agent neither makes nor answers remote calls';
const onePool = 'there is one connection for each transport URL';
const metrics = 'oslo.metrics is a collector for Python services';

export const transportOptions = {
  transport_url: {
    type: 'string',
    default: 'rabbit://',
    secret: true,
    help: 'Message broker: rabbit://USER:PASSWORD@HOST:PORT[,USER:PASSWORD@HOST:PORT...]/VIRTUAL_HOST.',
  },
  control_exchange: {
    type: 'string',
    default: 'ceilometer',
    help: 'Exchange that samples are sent to.',
  },
  executor_thread_pool_size: {
    type: 'integer',
    default: 64,
    deprecated: [['DEFAULT', 'rpc_thread_pool_size']],
    noEffect: 'there is no thread pool',
    help: 'Size of the thread pool of consumers.',
  },
  rpc_response_timeout: { type: 'integer', default: 60, noEffect: noRpc, help: 'Seconds to wait for an answer.' },
  rpc_ping_enabled: { type: 'boolean', default: false, noEffect: noRpc, help: 'Answer ping calls.' },
} as const satisfies OptionGroup;

export const notificationsOptions = {
  transport_url: {
    type: 'string',
    secret: true,
    shownDefault: '[DEFAULT] transport_url',
    help: 'Message broker for samples and notifications, if it is another one than [DEFAULT] transport_url.',
  },
  topics: {
    type: 'list',
    default: ['notifications'],
    help: 'Topics that polled samples are sent to, each getting every message, and that notifications are taken from.',
  },
  retry: {
    type: 'integer',
    default: -1,
    min: -1,
    help: 'How often a message is sent again after a passing fault; -1 means until it succeeds.',
  },
  driver: {
    type: 'multi',
    default: [],
    noEffect: '[publisher_notifier] telemetry_driver decides, as upstream',
    help: 'Form of the notifications that services send.',
  },
} as const satisfies OptionGroup;

export const rabbitOptions = {
  ssl: { type: 'boolean', default: false, help: 'Connect over TLS.' },
  ssl_version: {
    type: 'string',
    default: '',
    help: 'The only TLS version allowed, as TLSv1_2 or TLSv1_3. Empty means any that is considered safe.',
  },
  ssl_ca_file: {
    type: 'string',
    default: '',
    help: 'Certificates of the authorities that the broker is checked against. Empty means that it is not checked.',
  },
  ssl_cert_file: { type: 'string', default: '', help: 'Certificate that the agent shows to the broker.' },
  ssl_key_file: { type: 'string', default: '', help: 'Private key of that certificate.' },
  ssl_enforce_hostname_verification: {
    type: 'boolean',
    default: true,
    help: 'Check that the certificate is for the host name of the broker, when ssl_ca_file is set.',
  },
  rabbit_login_method: {
    type: 'string',
    default: 'AMQPLAIN',
    choices: ['PLAIN', 'AMQPLAIN', 'EXTERNAL', 'RABBIT-CR-DEMO'],
    help: 'How the agent logs in to the broker.',
  },
  heartbeat_timeout_threshold: {
    type: 'integer',
    default: 60,
    min: 0,
    help: 'Seconds without a sign of life after which the connection counts as dead; 0 turns heartbeats off.',
  },
  heartbeat_rate: {
    type: 'integer',
    default: 3,
    min: 1,
    noEffect: 'signs of life are sent twice during heartbeat_timeout_threshold',
    help: 'Signs of life sent during heartbeat_timeout_threshold.',
  },
  rabbit_retry_interval: {
    type: 'integer',
    default: 1,
    min: 1,
    help: 'Seconds before the first attempt to reconnect.',
  },
  rabbit_retry_backoff: {
    type: 'integer',
    default: 2,
    min: 0,
    help: 'Seconds added to the wait after each failed attempt.',
  },
  rabbit_interval_max: { type: 'integer', default: 30, min: 1, help: 'Longest wait between two attempts, in seconds.' },
  kombu_reconnect_delay: {
    type: 'float',
    default: 1,
    min: 0,
    max: 4.5,
    help: 'Seconds to wait before reconnecting after the broker cancelled a consumer or closed the connection.',
  },
  kombu_reconnect_splay: {
    type: 'float',
    default: 0,
    min: 0,
    help: 'Seconds of random wait added to kombu_reconnect_delay.',
  },
  kombu_missing_consumer_retry_timeout: {
    type: 'integer',
    default: 60,
    deprecated: [['oslo_messaging_rabbit', 'kombu_reconnect_timeout']],
    help: 'Seconds for which a message that the broker could not route is tried again.',
  },
  kombu_failover_strategy: {
    type: 'string',
    default: 'round-robin',
    choices: ['round-robin', 'shuffle'],
    help: 'Order in which the hosts of the transport URL are tried.',
  },
  amqp_durable_queues: {
    type: 'boolean',
    default: false,
    help: 'Declare exchange and queue as durable. All programs that use them have to agree.',
  },
  amqp_auto_delete: {
    type: 'boolean',
    default: false,
    help: 'Let the broker delete exchange and queue with their last user. All programs that use them have to agree.',
  },
  rabbit_quorum_queue: {
    type: 'boolean',
    default: false,
    help: 'Declare the queue as a quorum queue, and with the exchange as durable. All programs that use it have to agree.',
  },
  rabbit_quorum_delivery_limit: {
    type: 'integer',
    default: 0,
    help: 'How often a quorum queue delivers a message again before it drops it; 0 sets no limit.',
  },
  rabbit_quorum_max_memory_length: {
    type: 'integer',
    default: 0,
    help: 'Most messages of a quorum queue in memory; 0 sets no limit.',
  },
  rabbit_quorum_max_memory_bytes: {
    type: 'integer',
    default: 0,
    help: 'Most bytes of a quorum queue in memory; 0 sets no limit.',
  },
  rabbit_qos_prefetch_count: {
    type: 'integer',
    default: 100,
    help: 'Messages that a consumer takes in advance; 0 sets no limit.',
  },
  enable_cancel_on_failover: {
    type: 'boolean',
    default: false,
    noEffect: notYet,
    help: 'Have the broker cancel consumers when their queue fails over.',
  },
  kombu_compression: {
    type: 'string',
    noEffect: 'messages are not compressed',
    help: 'Compression of messages: gzip or bz2.',
  },
  rabbit_ha_queues: {
    type: 'boolean',
    default: false,
    noEffect: 'RabbitMQ mirrors queues by policy since 3.0',
    help: 'Ask for mirrored queues in the declaration.',
  },
  ssl_enforce_fips_mode: {
    type: 'boolean',
    default: false,
    noEffect: 'OpenSSL 3 has no such switch',
    help: 'Force the FIPS mode of OpenSSL.',
  },
  rabbit_transient_quorum_queue: {
    type: 'boolean',
    default: false,
    noEffect: noRpc,
    help: 'Quorum queues for answers.',
  },
  rabbit_transient_queues_ttl: {
    type: 'integer',
    default: 1800,
    noEffect: noRpc,
    help: 'Life of unused answer queues.',
  },
  rabbit_stream_fanout: { type: 'boolean', default: false, noEffect: noRpc, help: 'Streams for fanout queues.' },
  direct_mandatory_flag: { type: 'boolean', default: true, noEffect: noRpc, help: 'Notice unroutable answers.' },
  use_queue_manager: { type: 'boolean', default: false, noEffect: noRpc, help: 'Stable names of answer queues.' },
  hostname: { type: 'string', noEffect: noRpc, help: 'Host part of stable queue names.' },
  processname: { type: 'string', noEffect: noRpc, help: 'Process part of stable queue names.' },
  rpc_conn_pool_size: { type: 'integer', default: 30, noEffect: onePool, help: 'Most connections in the pool.' },
  conn_pool_min_size: { type: 'integer', default: 2, noEffect: onePool, help: 'Connections kept in the pool.' },
  conn_pool_ttl: { type: 'integer', default: 1200, noEffect: onePool, help: 'Life of idle connections in the pool.' },
} as const satisfies OptionGroup;

export const metricsOptions = {
  metrics_enabled: { type: 'boolean', default: false, noEffect: metrics, help: 'Send metrics of remote calls.' },
  metrics_buffer_size: {
    type: 'integer',
    default: 1000,
    noEffect: metrics,
    help: 'Metrics kept before they are sent.',
  },
  metrics_socket_file: {
    type: 'string',
    default: '/var/tmp/metrics_collector.sock',
    noEffect: metrics,
    help: 'Unix socket of the collector.',
  },
  metrics_process_name: { type: 'string', default: '', noEffect: metrics, help: 'Name of this process in metrics.' },
  metrics_thread_stop_timeout: {
    type: 'integer',
    default: 10,
    noEffect: metrics,
    help: 'Life of the idle sending thread.',
  },
} as const satisfies OptionGroup;
