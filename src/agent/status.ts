import type { Observed } from './observation.ts';
import type { LastPoll, PollCounts } from './poll-counts.ts';
import type { TaskState } from './polling-task.ts';

/** How the agent fares in every part, for people and their scripts. Times are ISO 8601 in UTC. */
export function agentStatus({ delivery, hostname, namespaces, serviceUse, tasks, version }: Observed): object {
  return {
    hostname,
    namespaces,
    version,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    tasks: tasks().map(taskStatus),
    delivery: delivery ?? null,
    services: serviceUse(),
  };
}

function taskStatus({ counts, lastReport, pollsters }: TaskState): object {
  const { interval, cycles, missed } = counts;
  return {
    interval,
    cycles,
    missed,
    lastCycle:
      lastReport === undefined
        ? null
        : {
            startedAt: iso(lastReport.startedAt),
            seconds: lastReport.seconds,
            samples: lastReport.samples,
            failures: lastReport.failures.length,
          },
    pollsters: pollsters.map(pollsterStatus),
  };
}

function pollsterStatus({ last, lastSuccess, namespace, pollster, polls, resources, source }: PollCounts): object {
  return {
    source,
    namespace,
    pollster,
    resources,
    polls: Object.fromEntries(Object.entries(polls).filter(([, count]) => count > 0)),
    last: last === undefined ? null : pollStatus(last),
    lastSuccess: lastSuccess === 0 ? null : iso(lastSuccess),
  };
}

function pollStatus({ at, failure, result, samples }: LastPoll): object {
  return { at: iso(at), result, samples, ...(failure !== undefined && { failure }) };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
