/**
 * What the collector's read API takes and answers, version 1. Each shape is written down once, here: the types, the
 * checks of the queries and the OpenAPI description all come from it.
 *
 * Field names are those of Ceilometer's samples and of its former API (version 2). Times are UTC, as Python's
 * `isoformat` prints them without a zone; spans of time are seconds.
 */
import * as v from 'valibot';

/** The words of the description; for the check they change nothing. */
const described = <const S extends v.GenericSchema>(schema: S, text: string) => v.pipe(schema, v.description(text));

const MAX_LIMIT = 10_000;
const DEFAULT_LIMIT = 100;

/** An integer is as long as it has to be: 64-bit counters do not fit into a JavaScript number. */
const exactNumber = described(
  v.union([v.number(), v.bigint()]),
  'A JSON number. Integers are exact, also those above 2^53.',
);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = described(v.string(), 'UTC, as 2026-11-24T13:00:00 or with microseconds');
const seconds = v.number();
const metadata = v.record(v.string(), v.unknown());
const sampleType = v.picklist(['gauge', 'delta', 'cumulative']);

const firstSample = described(time, 'Time of the first one; it may have been removed since.');

const meter = v.strictObject({
  name: v.string(),
  type: sampleType,
  unit: v.string(),
  resources: described(count, 'Resources that have samples of it.'),
  samples: count,
  first_sample: firstSample,
  last_sample: time,
  interval: described(v.nullable(seconds), 'Seconds between samples of one resource, once that is known.'),
  late: described(count, 'Resources whose next sample is overdue.'),
});

const resource = v.strictObject({
  resource_id: v.string(),
  project_id: v.nullable(v.string()),
  project_name: v.nullable(v.string()),
  user_id: v.nullable(v.string()),
  user_name: v.nullable(v.string()),
  source: v.string(),
  first_sample: firstSample,
  last_sample: time,
  meters: v.array(v.string()),
  metadata: described(metadata, 'As of the last sample.'),
});

const metadataState = v.strictObject({
  since: described(time, 'Time of the first sample that carried it.'),
  meters: described(v.array(v.string()), 'Meters whose samples carried it.'),
  metadata,
});

const resourceMeter = v.strictObject({
  name: v.string(),
  type: sampleType,
  unit: v.string(),
  samples: count,
  first_sample: firstSample,
  last_sample: time,
  interval: v.nullable(seconds),
  late: v.boolean(),
  gaps: count,
});

const resourceDetail = v.strictObject({
  ...resource.entries,
  meters: v.array(resourceMeter),
  metadata_history: described(v.array(metadataState), 'The oldest first.'),
});

const sample = v.strictObject({
  source: v.string(),
  counter_name: v.string(),
  counter_type: sampleType,
  counter_unit: v.string(),
  counter_volume: exactNumber,
  user_id: v.nullable(v.string()),
  user_name: v.nullable(v.string()),
  project_id: v.nullable(v.string()),
  project_name: v.nullable(v.string()),
  resource_id: v.string(),
  timestamp: time,
  resource_metadata: described(v.optional(metadata), 'Left out with metadata=false.'),
  message_id: v.string(),
});

const statistics = v.strictObject({
  resource_id: described(v.nullable(v.string()), 'Null unless grouped by resource.'),
  project_id: described(v.nullable(v.string()), 'Null unless grouped by project.'),
  unit: v.string(),
  period: described(v.nullable(seconds), 'Null when the whole range is one period.'),
  period_start: time,
  period_end: time,
  count,
  min: exactNumber,
  max: exactNumber,
  sum: exactNumber,
  avg: v.number(),
  first_sample: time,
  last_sample: time,
  rate: described(
    v.nullable(v.number()),
    'Of cumulative meters: growth per second, in unit/s. The growth between two samples counts in the period of ' +
      'the second. A value below the one before is a counter that began anew, and counts as growth from 0. Over ' +
      'several resources it is the sum of their rates. Null without two samples.',
  ),
  resets: described(count, 'How often a counter of a cumulative meter began anew.'),
});

const agent = v.strictObject({
  agent: described(v.string(), 'publisher_id of its messages.'),
  host: described(v.nullable(v.string()), 'The host in the publisher_id, where there is one.'),
  source: v.string(),
  first_seen: described(time, 'When its first message came.'),
  last_seen: time,
  interval: described(v.nullable(seconds), 'Seconds between its arrivals, once that is known.'),
  late: v.boolean(),
  samples: count,
});

const overdue = v.strictObject({
  meter: v.string(),
  resource_id: v.string(),
  last_sample: time,
  interval: seconds,
  overdue: described(seconds, 'Seconds since the next sample was due.'),
});

const gap = v.strictObject({
  meter: v.string(),
  resource_id: v.string(),
  gaps: described(count, 'Gaps of this meter on this resource so far.'),
  start: described(time, 'Sample before the latest gap.'),
  end: described(time, 'Sample after it.'),
  interval: seconds,
});

const status = v.strictObject({
  version: v.string(),
  started_at: time,
  now: time,
  store: v.strictObject({
    kind: v.picklist(['sqlite', 'postgresql']),
    bytes: count,
    max_bytes: v.nullable(count),
    time_to_live: described(v.nullable(seconds), 'Age at which samples are removed; null keeps them.'),
    meters: count,
    resources: count,
    series: described(count, 'Pairs of a meter and a resource.'),
    samples: count,
    first_sample: v.nullable(time),
    last_sample: v.nullable(time),
  }),
  received: described(
    v.strictObject({
      samples: count,
      stored: count,
      duplicates: described(count, 'Samples whose message_id was stored before.'),
      unsigned: described(count, 'Samples without a signature, kept out.'),
      bad_signature: described(count, 'Samples with a wrong signature, kept out.'),
      invalid: described(count, 'Samples that are none, kept out.'),
      dead_letters: described(count, 'Messages that could not be processed.'),
    }),
    'Since the start of this collector.',
  ),
  agents: v.array(agent),
  late_total: count,
  late: described(v.array(overdue), 'The longest overdue first, at most 100.'),
  gaps_total: count,
  gaps: described(v.array(gap), 'The latest first, at most 100.'),
});

const next = described(v.nullable(v.string()), 'Where the next page begins: its `marker`. Null at the last page.');

const problem = v.strictObject({ error: v.string() });

export const answers = {
  MeterPage: v.strictObject({ meters: v.array(meter), next }),
  ResourcePage: v.strictObject({ resources: v.array(resource), next }),
  ResourceDetail: resourceDetail,
  SamplePage: v.strictObject({ samples: v.array(sample), next }),
  StatisticsPage: v.strictObject({ statistics: v.array(statistics), next }),
  Status: status,
  Problem: problem,
} as const;

export type MeterPage = v.InferOutput<typeof answers.MeterPage>;
export type ResourcePage = v.InferOutput<typeof answers.ResourcePage>;
export type ResourceDetail = v.InferOutput<typeof answers.ResourceDetail>;
export type SamplePage = v.InferOutput<typeof answers.SamplePage>;
export type StatisticsPage = v.InferOutput<typeof answers.StatisticsPage>;
export type Status = v.InferOutput<typeof answers.Status>;

const one = v.pipe(v.string(), v.nonEmpty('is empty'));
/** A number in a query, which is text. */
const numberText = (problem: string) => v.pipe(v.string(), v.transform(Number), v.number(problem), v.finite(problem));
const limitProblem = `expected a whole number from 1 to ${MAX_LIMIT}`;
const limit = v.optional(
  v.pipe(
    numberText(limitProblem),
    v.integer(limitProblem),
    v.minValue(1, limitProblem),
    v.maxValue(MAX_LIMIT, limitProblem),
  ),
  String(DEFAULT_LIMIT),
);
const periodProblem = 'expected a number of seconds above 0';
const marker = v.optional(described(one, '`next` of the page before.'));
const from = v.optional(described(one, 'First moment that counts. ISO 8601; UTC unless it has a zone.'));
const until = v.optional(described(one, 'First moment that counts no more.'));
const search = v.optional(described(one, 'Part of the name or id; case does not matter.'));

/** Unknown parameters are refused: a misspelled filter would answer with everything. */
export const queries = {
  meters: v.strictObject({
    search,
    resource: v.optional(one),
    project: v.optional(one),
    limit,
    marker,
  }),
  resources: v.strictObject({
    search,
    meter: v.optional(one),
    project: v.optional(one),
    limit,
    marker,
  }),
  resource: v.strictObject({}),
  samples: v.strictObject({
    meter: v.optional(one),
    resource: v.optional(one),
    project: v.optional(one),
    user: v.optional(one),
    source: v.optional(one),
    start: from,
    end: until,
    order: described(v.optional(v.picklist(['desc', 'asc']), 'desc'), 'By time: desc gives the newest first.'),
    metadata: described(v.optional(v.picklist(['true', 'false']), 'true'), 'false leaves resource_metadata out.'),
    limit,
    marker,
  }),
  statistics: v.strictObject({
    meter: one,
    resource: v.optional(one),
    project: v.optional(one),
    user: v.optional(one),
    source: v.optional(one),
    start: from,
    end: until,
    period: v.optional(
      described(
        v.pipe(numberText(periodProblem), v.gtValue(0, periodProblem)),
        'Seconds; periods are aligned to `start`, else to the epoch. Empty ones are left out.',
      ),
    ),
    group: v.optional(
      described(v.picklist(['resource', 'project']), 'One row for each of them and period; else all count together.'),
    ),
    limit,
    marker,
  }),
  status: v.strictObject({}),
} as const;
