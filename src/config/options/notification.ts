import { notYet, type OptionGroup } from '../option.ts';

/** Options of the notification agent. They are known here because all programs share one file. */
export const notificationOptions = {
  ack_on_event_error: {
    type: 'boolean',
    default: true,
    noEffect: notYet,
    help: 'Acknowledge a notification even if its event could not be published.',
  },
  messaging_urls: {
    type: 'multi',
    default: [],
    secret: true,
    noEffect: notYet,
    help: 'Message brokers to listen to, if others than [DEFAULT] transport_url.',
  },
  batch_size: { type: 'integer', default: 1, min: 1, noEffect: notYet, help: 'Notifications handled together.' },
  batch_timeout: { type: 'integer', noEffect: notYet, help: 'Seconds to wait until a batch is full.' },
  workers: {
    type: 'integer',
    default: 1,
    min: 1,
    deprecated: [['DEFAULT', 'notification_workers']],
    noEffect: notYet,
    help: 'Processes that handle notifications.',
  },
  pipelines: { type: 'multi', default: ['meter', 'event'], noEffect: notYet, help: 'Kinds of pipelines that run.' },
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
    noEffect: notYet,
    help: 'Exchanges to listen to.',
  },
} as const satisfies OptionGroup;

export const eventOptions = {
  definitions_cfg_file: {
    type: 'string',
    default: 'event_definitions.yaml',
    noEffect: notYet,
    help: 'File that says which notifications become which events.',
  },
  drop_unmatched_notifications: {
    type: 'boolean',
    default: false,
    noEffect: notYet,
    help: 'Make no event of a notification without a definition.',
  },
  store_raw: {
    type: 'multi',
    default: [],
    noEffect: notYet,
    help: 'Priorities of notifications that events carry whole: info, error.',
  },
} as const satisfies OptionGroup;

export const meterOptions = {
  meter_definitions_dirs: {
    type: 'multi',
    default: ['/etc/ceilometer/meters.d'],
    noEffect: notYet,
    help: 'Directories with definitions of the meters in notifications.',
  },
} as const satisfies OptionGroup;
