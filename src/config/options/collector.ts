import type { OptionGroup } from '../option.ts';

/** Options of the collector. */
export const databaseOptions = {
  connection: {
    type: 'string',
    default: '',
    secret: true,
    own: true,
    shownDefault: 'an SQLite file, collector.db, in [DEFAULT] state_path',
    help: 'Where the collector keeps samples: postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///PATH.',
  },
  metering_time_to_live: {
    type: 'integer',
    default: 2_592_000,
    own: true,
    deprecated: [['database', 'time_to_live']],
    help: 'Seconds that samples are kept; 0 or less keeps them for ever.',
  },
  max_bytes: {
    type: 'integer',
    min: 0,
    own: true,
    shownDefault: '2147483648 for SQLite, 0 for PostgreSQL',
    help: 'Most bytes that the store may take: the oldest samples give way. 0 sets no limit.',
  },
} as const satisfies OptionGroup;

export const collectorOptions = {
  polled_samples: {
    type: 'string',
    default: 'copy',
    choices: ['copy', 'take', 'ignore'],
    own: true,
    help: 'How the collector gets what polling agents send, beside what pipelines publish. copy: from a queue of its own, so that a notification agent goes on getting all of it. take: from the queue of the notification agents, where there are none. ignore: not at all.',
  },
  api_host: {
    type: 'string',
    default: '127.0.0.1',
    own: true,
    help: 'Address that the read API listens on. One that others can reach needs api_token.',
  },
  api_port: {
    type: 'integer',
    default: 8777,
    min: 0,
    max: 65_535,
    own: true,
    help: 'Port of the read API; 0 takes any that is free.',
  },
  api_token: {
    type: 'string',
    default: '',
    secret: true,
    own: true,
    help: 'What callers of the read API have to show as bearer token. Empty asks for none.',
  },
} as const satisfies OptionGroup;
