/**
 * What the collector's read API takes and answers, version 1. Each shape is written down once, here: the types, the
 * checks of the queries and the OpenAPI description all come from it.
 *
 * Field names are those of Ceilometer's samples and of its former API (version 2). Times are UTC, as Python's
 * `isoformat` prints them without a zone; spans of time are seconds.
 */
import { z } from 'zod';

const MAX_LIMIT = 10_000;
const DEFAULT_LIMIT = 100;

/** An integer is as long as it has to be: 64-bit counters do not fit into a JavaScript number. */
const exactNumber = z
  .union([z.number(), z.bigint()])
  .meta({ description: 'A JSON number. Integers are exact, also those above 2^53.' });
const count = z.int().min(0);
const time = z.string().meta({ description: 'UTC, as 2026-11-24T13:00:00 or with microseconds' });
const seconds = z.number();
const metadata = z.record(z.string(), z.unknown());
const sampleType = z.enum(['gauge', 'delta', 'cumulative']);

const firstSample = time.meta({ description: 'Time of the first one; it may have been removed since.' });

const meter = z.strictObject({
  name: z.string(),
  type: sampleType,
  unit: z.string(),
  resources: count.meta({ description: 'Resources that have samples of it.' }),
  samples: count,
  first_sample: firstSample,
  last_sample: time,
  interval: seconds.nullable().meta({ description: 'Seconds between samples of one resource, once that is known.' }),
  late: count.meta({ description: 'Resources whose next sample is overdue.' }),
});

const resource = z.strictObject({
  resource_id: z.string(),
  project_id: z.string().nullable(),
  project_name: z.string().nullable(),
  user_id: z.string().nullable(),
  user_name: z.string().nullable(),
  source: z.string(),
  first_sample: firstSample,
  last_sample: time,
  meters: z.array(z.string()),
  metadata: metadata.meta({ description: 'As of the last sample.' }),
});

const metadataState = z.strictObject({
  since: time.meta({ description: 'Time of the first sample that carried it.' }),
  meters: z.array(z.string()).meta({ description: 'Meters whose samples carried it.' }),
  metadata,
});

const resourceMeter = z.strictObject({
  name: z.string(),
  type: sampleType,
  unit: z.string(),
  samples: count,
  first_sample: firstSample,
  last_sample: time,
  interval: seconds.nullable(),
  late: z.boolean(),
  gaps: count,
});

const resourceDetail = z.strictObject({
  ...resource.shape,
  meters: z.array(resourceMeter),
  metadata_history: z.array(metadataState).meta({ description: 'The oldest first.' }),
});

const sample = z.strictObject({
  source: z.string(),
  counter_name: z.string(),
  counter_type: sampleType,
  counter_unit: z.string(),
  counter_volume: exactNumber,
  user_id: z.string().nullable(),
  user_name: z.string().nullable(),
  project_id: z.string().nullable(),
  project_name: z.string().nullable(),
  resource_id: z.string(),
  timestamp: time,
  resource_metadata: metadata.optional().meta({ description: 'Left out with metadata=false.' }),
  message_id: z.string(),
});

const statistics = z.strictObject({
  resource_id: z.string().nullable().meta({ description: 'Null unless grouped by resource.' }),
  project_id: z.string().nullable().meta({ description: 'Null unless grouped by project.' }),
  unit: z.string(),
  period: seconds.nullable().meta({ description: 'Null when the whole range is one period.' }),
  period_start: time,
  period_end: time,
  count,
  min: exactNumber,
  max: exactNumber,
  sum: exactNumber,
  avg: z.number(),
  first_sample: time,
  last_sample: time,
  rate: z
    .number()
    .nullable()
    .meta({
      description:
        'Of cumulative meters: growth per second, in unit/s. The growth between two samples counts in the period of ' +
        'the second. A value below the one before is a counter that began anew, and counts as growth from 0. Over ' +
        'several resources it is the sum of their rates. Null without two samples.',
    }),
  resets: count.meta({ description: 'How often a counter of a cumulative meter began anew.' }),
});

const agent = z.strictObject({
  agent: z.string().meta({ description: 'publisher_id of its messages.' }),
  host: z.string().nullable().meta({ description: 'The host in the publisher_id, where there is one.' }),
  source: z.string(),
  first_seen: time.meta({ description: 'When its first message came.' }),
  last_seen: time,
  interval: seconds.nullable().meta({ description: 'Seconds between its arrivals, once that is known.' }),
  late: z.boolean(),
  samples: count,
});

const overdue = z.strictObject({
  meter: z.string(),
  resource_id: z.string(),
  last_sample: time,
  interval: seconds,
  overdue: seconds.meta({ description: 'Seconds since the next sample was due.' }),
});

const gap = z.strictObject({
  meter: z.string(),
  resource_id: z.string(),
  gaps: count.meta({ description: 'Gaps of this meter on this resource so far.' }),
  start: time.meta({ description: 'Sample before the latest gap.' }),
  end: time.meta({ description: 'Sample after it.' }),
  interval: seconds,
});

const status = z.strictObject({
  version: z.string(),
  started_at: time,
  now: time,
  store: z.strictObject({
    kind: z.enum(['sqlite', 'postgresql']),
    bytes: count,
    max_bytes: count.nullable(),
    time_to_live: seconds.nullable().meta({ description: 'Age at which samples are removed; null keeps them.' }),
    meters: count,
    resources: count,
    series: count.meta({ description: 'Pairs of a meter and a resource.' }),
    samples: count,
    first_sample: time.nullable(),
    last_sample: time.nullable(),
  }),
  received: z
    .strictObject({
      samples: count,
      stored: count,
      duplicates: count.meta({ description: 'Samples whose message_id was stored before.' }),
      unsigned: count.meta({ description: 'Samples without a signature, kept out.' }),
      bad_signature: count.meta({ description: 'Samples with a wrong signature, kept out.' }),
      invalid: count.meta({ description: 'Samples that are none, kept out.' }),
      dead_letters: count.meta({ description: 'Messages that could not be processed.' }),
    })
    .meta({ description: 'Since the start of this collector.' }),
  agents: z.array(agent),
  late_total: count,
  late: z.array(overdue).meta({ description: 'The longest overdue first, at most 100.' }),
  gaps_total: count,
  gaps: z.array(gap).meta({ description: 'The latest first, at most 100.' }),
});

const next = z
  .string()
  .nullable()
  .meta({ description: 'Where the next page begins: its `marker`. Null at the last page.' });

const problem = z.strictObject({ error: z.string() });

export const answers = {
  MeterPage: z.strictObject({ meters: z.array(meter), next }),
  ResourcePage: z.strictObject({ resources: z.array(resource), next }),
  ResourceDetail: resourceDetail,
  SamplePage: z.strictObject({ samples: z.array(sample), next }),
  StatisticsPage: z.strictObject({ statistics: z.array(statistics), next }),
  Status: status,
  Problem: problem,
} as const;

export type MeterPage = z.infer<typeof answers.MeterPage>;
export type ResourcePage = z.infer<typeof answers.ResourcePage>;
export type ResourceDetail = z.infer<typeof answers.ResourceDetail>;
export type SamplePage = z.infer<typeof answers.SamplePage>;
export type StatisticsPage = z.infer<typeof answers.StatisticsPage>;
export type Status = z.infer<typeof answers.Status>;

const one = z.string().min(1);
const limit = z.coerce.number().pipe(z.int().min(1).max(MAX_LIMIT)).default(DEFAULT_LIMIT);
const marker = one.optional().meta({ description: '`next` of the page before.' });
const from = one.optional().meta({ description: 'First moment that counts. ISO 8601; UTC unless it has a zone.' });
const until = one.optional().meta({ description: 'First moment that counts no more.' });
const search = one.optional().meta({ description: 'Part of the name or id; case does not matter.' });

/** Unknown parameters are refused: a misspelled filter would answer with everything. */
export const queries = {
  meters: z.strictObject({
    search,
    resource: one.optional(),
    project: one.optional(),
    limit,
    marker,
  }),
  resources: z.strictObject({
    search,
    meter: one.optional(),
    project: one.optional(),
    limit,
    marker,
  }),
  resource: z.strictObject({}),
  samples: z.strictObject({
    meter: one.optional(),
    resource: one.optional(),
    project: one.optional(),
    user: one.optional(),
    source: one.optional(),
    start: from,
    end: until,
    order: z.enum(['desc', 'asc']).default('desc').meta({ description: 'By time: desc gives the newest first.' }),
    metadata: z.enum(['true', 'false']).default('true').meta({ description: 'false leaves resource_metadata out.' }),
    limit,
    marker,
  }),
  statistics: z.strictObject({
    meter: one,
    resource: one.optional(),
    project: one.optional(),
    user: one.optional(),
    source: one.optional(),
    start: from,
    end: until,
    period: z.coerce
      .number()
      .pipe(z.number().positive())
      .optional()
      .meta({ description: 'Seconds; periods are aligned to `start`, else to the epoch. Empty ones are left out.' }),
    group: z
      .enum(['resource', 'project'])
      .optional()
      .meta({ description: 'One row for each of them and period; else all count together.' }),
    limit,
    marker,
  }),
  status: z.strictObject({}),
} as const;
