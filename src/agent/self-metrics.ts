/** The agent's own metrics. Counting is plain additions where the work is done; this reads them when it is asked. */
import type { DeliveryStats } from '../messaging/delivery-stats.ts';
import type { ServiceUse } from '../openstack/budget.ts';
import type { Family, Labels, Measurement } from '../prometheus/exposition.ts';
import { processFamilies } from '../prometheus/process.ts';
import type { Observed } from './observation.ts';
import { type PollCounts, pollResults, type TaskCounts } from './poll-counts.ts';
import type { TaskState } from './polling-task.ts';

export function* agentFamilies({ delivery, serviceUse, tasks, version }: Observed): Generator<Family> {
  const states = tasks();
  yield gauge('ceilometer_info', 'What runs here.', [{ labels: { version, node: process.version }, value: 1 }]);
  yield* pollsterFamilies(states.flatMap(({ pollsters }) => pollsters));
  yield* taskFamilies(states);
  if (delivery !== undefined) yield* deliveryFamilies(delivery);
  yield* serviceFamilies(serviceUse());
  yield* processFamilies();
}

const POLLING = 'ceilometer_polling';

function* pollsterFamilies(pollsters: readonly PollCounts[]): Generator<Family> {
  const labelled = pollsters.map((counts) => {
    const { namespace, pollster, source } = counts;
    return { counts, labels: { source, namespace, pollster } };
  });
  const each = (value: (counts: PollCounts) => number): Measurement[] =>
    labelled.map(({ counts, labels }) => ({ labels, value: value(counts) }));
  yield counter(
    `${POLLING}_polls_total`,
    'Polls of a pollster by what came of them.',
    labelled.flatMap(({ counts, labels }) =>
      pollResults.map((result) => ({ labels: { ...labels, result }, value: counts.polls[result] })),
    ),
  );
  yield summary(
    `${POLLING}_poll_seconds`,
    'Time that polls took, waiting included.',
    labelled.map(({ counts, labels }) => ({ labels, sum: counts.seconds, count: total(counts) })),
  );
  yield counter(
    `${POLLING}_samples_total`,
    'Samples handed to the output.',
    each(({ samples }) => samples),
  );
  yield gauge(
    `${POLLING}_resources`,
    'Resources of the last poll.',
    each(({ resources }) => resources),
  );
  yield gauge(
    `${POLLING}_last_success_timestamp_seconds`,
    'When a poll last succeeded; 0 if none did.',
    each(({ lastSuccess }) => lastSuccess / 1000),
  );
}

function total({ polls }: PollCounts): number {
  return pollResults.reduce((sum, result) => sum + polls[result], 0);
}

function* taskFamilies(states: readonly TaskState[]): Generator<Family> {
  const labelled = states.map(({ counts }) => ({ counts, labels: { interval: String(counts.interval) } }));
  const each = (value: (counts: TaskCounts) => number): Measurement[] =>
    labelled.map(({ counts, labels }) => ({ labels, value: value(counts) }));
  yield counter(
    `${POLLING}_cycles_missed_total`,
    'Slots that passed without a cycle, since the one before was late.',
    each(({ missed }) => missed),
  );
  yield summary(
    `${POLLING}_cycle_seconds`,
    'Time from the begin to the end of cycles.',
    labelled.map(({ counts, labels }) => ({ labels, sum: counts.seconds, count: counts.cycles })),
  );
}

const DELIVERY = 'ceilometer_delivery';

function* deliveryFamilies(stats: DeliveryStats): Generator<Family> {
  const { confirmed, connects, dropped, queued, resent, returned, sent } = stats;
  const progress = Object.entries({ sent, confirmed, resent, returned });
  const reasons = Object.entries(dropped);
  yield counter(
    `${DELIVERY}_batches_total`,
    'Messages, each a batch of samples: sent for the first time, confirmed by the broker, sent again, returned by it.',
    progress.map(([state, { messages }]) => ({ labels: { state }, value: messages })),
  );
  yield counter(
    `${DELIVERY}_samples_total`,
    'The samples in those messages.',
    progress.map(([state, { samples }]) => ({ labels: { state }, value: samples })),
  );
  yield counter(
    `${DELIVERY}_dropped_samples_total`,
    'Samples that were given up, by reason.',
    reasons.map(([reason, { samples }]) => ({ labels: { reason }, value: samples })),
  );
  yield gauge(`${DELIVERY}_queued_bytes`, 'Bytes of messages that the broker does not have.', one(queued.bytes));
  yield gauge(`${DELIVERY}_queued_samples`, 'The samples in them.', one(queued.samples));
  yield gauge(`${DELIVERY}_connected`, 'Whether there is a connection to a broker.', one(Number(stats.connected)));
  yield gauge(`${DELIVERY}_blocked`, 'Whether the broker takes no messages for now.', one(Number(stats.blocked)));
  yield counter(
    `${DELIVERY}_reconnects_total`,
    'Connections that were set up after the first one.',
    one(Math.max(0, connects - 1)),
  );
}

const OPENSTACK = 'ceilometer_openstack';

function* serviceFamilies(uses: readonly ServiceUse[]): Generator<Family> {
  const each = (value: (use: ServiceUse) => number): Measurement[] =>
    uses.map((use) => ({ labels: { service: use.service }, value: value(use) }));
  yield counter(
    `${OPENSTACK}_requests_total`,
    'Requests to a service, repeated ones included.',
    each(({ requests }) => requests),
  );
  yield gauge(
    `${OPENSTACK}_requests_in_flight`,
    'Requests under way.',
    each(({ inFlight }) => inFlight),
  );
  yield gauge(
    `${OPENSTACK}_requests_in_flight_limit`,
    'Most that may be: [polling] max_requests_in_flight.',
    each(({ inFlightLimit }) => inFlightLimit),
  );
  yield gauge(
    `${OPENSTACK}_requests_per_second_limit`,
    'Most in a second, [polling] max_requests_per_second; 0 is no limit.',
    each(({ perSecondLimit }) => perSecondLimit),
  );
  yield gauge(
    `${OPENSTACK}_requests_waiting`,
    'Requests that wait for their turn.',
    each(({ waiting }) => waiting),
  );
  yield counter(
    `${OPENSTACK}_request_waits_total`,
    'Requests that could not begin at once.',
    each(({ waits }) => waits),
  );
  yield counter(
    `${OPENSTACK}_request_wait_seconds_total`,
    'What those waited.',
    each(({ waitSeconds }) => waitSeconds),
  );
}

const one = (value: number): Measurement[] => [{ value }];

function counter(name: string, help: string, measurements: readonly Measurement[]): Family {
  return { name, type: 'counter', help, measurements };
}

function gauge(name: string, help: string, measurements: readonly Measurement[]): Family {
  return { name, type: 'gauge', help, measurements };
}

interface Summed {
  readonly labels: Labels;
  readonly sum: number;
  readonly count: number;
}

function summary(name: string, help: string, all: readonly Summed[]): Family {
  const measurements = all.flatMap(({ count, labels, sum }) => [
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ]);
  return { name, type: 'summary', help, measurements };
}
