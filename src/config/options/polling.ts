import { COMMON_SECRET } from '../../wire/signature.ts';
import type { OptionGroup } from '../option.ts';

export const pollingOptions = {
  cfg_file: {
    type: 'string',
    default: 'polling.yaml',
    help: 'File with the polling sources. A relative name is looked for in --config-dir, beside each configuration file, and in ~/.ceilometer, ~, /etc/ceilometer and /etc.',
  },
  batch_size: {
    type: 'integer',
    default: 50,
    min: 0,
    help: 'Most samples in one message; 0 sends each on its own.',
  },
  threads_to_process_pollsters: {
    type: 'integer',
    default: 4,
    min: 0,
    help: 'Most pollsters of one source that run at the same time; 0 sets no limit. Those that read the same list page by page count as one, and those of instances, which wait for the same answers of libvirt, not at all. They share one thread: this bounds what waits in parallel.',
  },
  cycle_timeout: {
    type: 'float',
    min: 0.001,
    shownDefault: 'twice the interval',
    own: true,
    help: 'Seconds after which what is left of a cycle is given up.',
  },
  pollster_timeout: {
    type: 'float',
    min: 0.001,
    shownDefault: 'the interval',
    own: true,
    help: 'Seconds that one pollster has in a cycle.',
  },
  enable_notifications: {
    type: 'boolean',
    default: true,
    help: 'Whether samples are sent to the message broker.',
  },
  heartbeat_socket_dir: {
    type: 'string',
    help: 'Directory for a Unix socket that tells, to whoever connects, when each pollster last ran.',
  },
  max_message_bytes: {
    type: 'integer',
    default: 1_048_576,
    min: 1024,
    own: true,
    help: 'Largest message, in bytes: a batch that would be larger is split.',
  },
  max_queue_bytes: {
    type: 'integer',
    default: 67_108_864,
    min: 65_536,
    own: true,
    help: 'Most bytes of messages kept in memory while the broker is away. What does not fit is dropped, oldest first, and counted.',
  },
  partitioning_group_prefix: {
    type: 'string',
    deprecated: [['central', 'partitioning_group_prefix']],
    help: 'Keeps apart the agents that share a coordination backend but have different polling files.',
  },
  pollsters_definitions_dirs: {
    type: 'multi',
    default: ['/etc/ceilometer/pollsters.d'],
    // Upstream documents [polling] and reads [DEFAULT].
    alias: [['DEFAULT', 'pollsters_definitions_dirs']],
    help: 'Directories with definitions of dynamic pollsters, in files that end in .yaml.',
  },
  identity_name_discovery: {
    type: 'boolean',
    default: false,
    deprecated: [['polling', 'tenant_name_discovery']],
    help: 'Ask Keystone for the names of the projects and users of samples. They are kept for ten minutes.',
  },
  max_requests_per_second: {
    type: 'float',
    default: 0,
    min: 0,
    own: true,
    help: 'Most requests to each service in a second, over all pollsters; 0 sets no limit. Other APIs of dynamic pollsters count by host.',
  },
  max_requests_in_flight: {
    type: 'integer',
    default: 8,
    min: 1,
    own: true,
    help: 'Most requests to each service at a time, over all pollsters.',
  },
  ignore_disabled_projects: {
    type: 'boolean',
    default: false,
    help: 'Leave out disabled projects, and those of disabled domains, when projects are discovered.',
  },
  include_vpn_secrets: {
    type: 'boolean',
    default: false,
    own: true,
    help: 'Whether samples of IPsec connections carry the pre-shared key, as upstream sends it. It is masked otherwise.',
  },
  enable_prometheus_exporter: {
    type: 'boolean',
    default: false,
    help: 'Serve the samples of the last cycles to Prometheus, beside sending them. Whoever reaches it may read it.',
  },
  prometheus_listen_addresses: {
    type: 'list',
    default: ['127.0.0.1:9101'],
    help: 'Addresses on which samples are served to Prometheus.',
  },
  prometheus_tls_enable: {
    type: 'boolean',
    default: false,
    help: 'Serve Prometheus over TLS; holds for metrics_listen_addresses, too.',
  },
  prometheus_tls_certfile: { type: 'string', help: 'Certificate shown to Prometheus.' },
  prometheus_tls_keyfile: { type: 'string', help: 'Private key of that certificate.' },
  metrics_listen_addresses: {
    type: 'list',
    default: [],
    own: true,
    help: 'Addresses at which the agent tells of itself: /metrics for Prometheus, /health and /status. As 127.0.0.1:9102, [::1]:9102, or a port alone, which is one of the loopback interface. Whoever reaches it may read it. Empty serves nothing.',
  },
} as const satisfies OptionGroup;

export const computeOptions = {
  instance_discovery_method: {
    type: 'string',
    default: 'libvirt_metadata',
    choices: ['naive', 'workload_partitioning', 'libvirt_metadata'],
    help: 'Where the instances of this host come from: the metadata that Nova leaves in libvirt, or the Nova API (naive, workload_partitioning). Domains that libvirt has no flavor id of get it from the Nova API. While Nova does not answer, that id is the name of the flavor, and the other methods go on with what Nova told before and, for domains it told nothing of, with what libvirt has.',
  },
  resource_update_interval: {
    type: 'integer',
    default: 0,
    min: 0,
    help: 'Seconds between two requests for changed instances, for the methods that ask the Nova API; 0 asks in each cycle.',
  },
  resource_cache_expiry: {
    type: 'integer',
    default: 3600,
    min: 0,
    help: 'Seconds after which those methods ask for all instances anew, so that migrated ones go.',
  },
  report_stopped_instance_metrics: {
    type: 'boolean',
    default: false,
    help: 'Also report power.state, vcpus, memory, disk.device.capacity and disk.device.usage of instances that are shut off. For the method libvirt_metadata. Until a resize or cold migration is confirmed the domain that is left behind is reported, too; the other methods ask Nova where the instance is.',
  },
  lifecycle_samples: {
    type: 'boolean',
    default: false,
    own: true,
    help: 'Also poll an instance when it starts and when it ends, besides the slots, so that one that lives for less than an interval is seen. Needs lifecycle events of libvirt.',
  },
  fetch_extra_metadata: {
    type: 'boolean',
    default: false,
    help: 'Ask the Nova API for the user metadata of servers, which libvirt does not have: once for each instance, and again after six hours.',
  },
} as const satisfies OptionGroup;

export const publisherOptions = {
  telemetry_secret: {
    type: 'string',
    default: COMMON_SECRET,
    secret: true,
    deprecated: [['publisher', 'metering_secret']],
    help: 'Key that samples are signed with. Empty leaves the signature out.',
  },
} as const satisfies OptionGroup;

export const publisherNotifierOptions = {
  telemetry_driver: {
    type: 'string',
    default: 'messagingv2',
    deprecated: [['publisher_notifier', 'metering_driver']],
    help: 'Form of the messages with samples: messagingv2 wraps them in an envelope, messaging does not, noop sends none.',
  },
  metering_topic: { type: 'string', default: 'metering', help: 'Topic, and event type, of published samples.' },
  event_topic: { type: 'string', default: 'event', help: 'Topic, and event type, of published events.' },
} as const satisfies OptionGroup;

export const coordinationOptions = {
  backend_url: {
    type: 'string',
    secret: true,
    help: 'URL of the backend over which agents share their work: etcd3+http, etcd3+https, redis or file; see docs/several-agents.md. Empty means that each agent polls everything.',
  },
} as const satisfies OptionGroup;

export const ipmiOptions = {
  polling_retry: {
    type: 'integer',
    default: 3,
    noEffect: 'a pollster that fails is tried again in each cycle',
    help: 'Failures after which an IPMI pollster is given up; below 0 it never is.',
  },
} as const satisfies OptionGroup;
