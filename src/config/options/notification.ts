import { fileURLToPath } from 'node:url';
import type { OptionGroup } from '../option.ts';

const SHIPPED_METERS = fileURLToPath(new URL('../../../etc/ceilometer/meters.d', import.meta.url));

/** Options of the notification agent. */
export const notificationOptions = {
  ack_on_event_error: {
    type: 'boolean',
    default: true,
    noEffect:
      'a notification whose event fails goes to the dead letters, so that it is neither lost nor comes back for ever',
    help: 'Acknowledge a notification even if its event could not be published.',
  },
  messaging_urls: {
    type: 'multi',
    default: [],
    shownDefault: 'none',
    secret: true,
    help: 'Message brokers to listen to, if others than [DEFAULT] transport_url.',
  },
  batch_size: { type: 'integer', default: 1, min: 1, help: 'Notifications handled together.' },
  batch_timeout: { type: 'integer', help: 'Seconds to wait until a batch is full.' },
  workers: {
    type: 'integer',
    default: 1,
    min: 1,
    deprecated: [['DEFAULT', 'notification_workers']],
    help: 'Processes that handle notifications.',
  },
  pipelines: { type: 'multi', default: ['meter', 'event'], help: 'Kinds of pipelines that run.' },
  notification_control_exchanges: {
    type: 'multi',
    default: [
      'nova',
      'glance',
      'neutron',
      'cinder',
      'heat',
      'keystone',
      'trove',
      'zaqar',
      'swift',
      'ceilometer',
      'magnum',
      'dns',
      'ironic',
      'aodh',
    ],
    deprecated: [['DEFAULT', 'http_control_exchanges']],
    help: 'Exchanges to listen to.',
  },
  endpoints: {
    type: 'multi',
    default: ['!instance'],
    own: true,
    help: 'Which endpoints make samples of notifications: names or wildcards, or with ! in front those that do not.',
  },
  polled_signatures: {
    type: 'string',
    default: 'warn',
    choices: ['ignore', 'warn', 'reject'],
    own: true,
    help: 'What to do about polled samples that are not signed with this telemetry_secret, unless that is the default one. warn looks at one sample of each message.',
  },
  publish_timeout: {
    type: 'float',
    default: 30,
    min: 0,
    own: true,
    help: 'Seconds for which a publisher that fails is tried again, before the notification goes to the dead letters.',
  },
  pool: {
    type: 'string',
    default: '',
    own: true,
    help: 'Name of a queue of this agent that gets a copy of each notification, beside the queues that are named after the topics and shared with other agents. Agents with the same pool share it.',
  },
  dead_letter_queue: {
    type: 'string',
    default: 'ceilometer.dead_letters',
    own: true,
    help: 'Queue for notifications that cannot be processed, with the reason in the header x-reason. Empty means that they are dropped.',
  },
  dead_letter_max_length: {
    type: 'integer',
    default: 10_000,
    min: 1,
    own: true,
    help: 'Most messages in the queue for dead letters; the oldest give way.',
  },
  max_prefetch_bytes: {
    type: 'integer',
    default: 67_108_864,
    min: 65_536,
    own: true,
    help: 'Most bytes of notifications in memory: beyond that nothing is read from the broker until some are done.',
  },
} as const satisfies OptionGroup;

export const eventOptions = {
  definitions_cfg_file: {
    type: 'string',
    default: 'event_definitions.yaml',
    help: 'File that says which notifications become which events.',
  },
  drop_unmatched_notifications: {
    type: 'boolean',
    default: false,
    help: 'Make no event of a notification without a definition.',
  },
  store_raw: {
    type: 'multi',
    default: [],
    shownDefault: 'none',
    help: 'Priorities of notifications that events carry whole: info, error.',
  },
} as const satisfies OptionGroup;

export const meterOptions = {
  meter_definitions_dirs: {
    type: 'multi',
    default: ['/etc/ceilometer/meters.d', SHIPPED_METERS],
    shownDefault: '/etc/ceilometer/meters.d and those of this package',
    help: 'Directories with definitions of the meters in notifications.',
  },
} as const satisfies OptionGroup;
