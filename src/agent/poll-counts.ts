/** What polling has done so far, for the agent's own metrics. It outlives a reload, so that counters only rise. */

export const pollResults = [
  /** All that was read was handed over. */
  'success',
  /** Readings were dropped that were wrong. */
  'incomplete',
  /** There was no resource to poll. */
  'no_resources',
  /** The pollster had nothing to say now. */
  'no_data',
  /** Resources are left out from now on. */
  'unsupported',
  'failed',
  /** The deadline passed. */
  'timeout',
  /** The poll of an earlier cycle had not ended. */
  'skipped',
] as const;

export type PollResult = (typeof pollResults)[number];

/** One pollster of one source. */
export interface PollCounts {
  readonly source: string;
  readonly namespace: string;
  readonly pollster: string;
  readonly polls: Record<PollResult, number>;
  seconds: number;
  samples: number;
  /** As many as the last poll had. */
  resources: number;
  last?: LastPoll;
  /** Wall-clock milliseconds; 0 before the first one. */
  lastSuccess: number;
}

export interface LastPoll {
  /** Wall-clock milliseconds at which it ended. */
  readonly at: number;
  readonly result: PollResult;
  readonly samples: number;
  readonly failure: string | undefined;
}

/** All sources of one interval. */
export interface TaskCounts {
  /** In seconds. */
  readonly interval: number;
  cycles: number;
  missed: number;
  seconds: number;
}

export interface CountBook {
  /** Those of one pollster of one source: the same ones each time. */
  pollster(source: string, namespace: string, pollster: string): PollCounts;
  task(interval: number): TaskCounts;
}

export function createCountBook(): CountBook {
  const pollsters = new Map<string, PollCounts>();
  const tasks = new Map<number, TaskCounts>();
  return {
    pollster(source, namespace, pollster) {
      const key = JSON.stringify([source, namespace, pollster]);
      const counts = pollsters.get(key) ?? {
        source,
        namespace,
        pollster,
        polls: zeros(),
        seconds: 0,
        samples: 0,
        resources: 0,
        lastSuccess: 0,
      };
      pollsters.set(key, counts);
      return counts;
    },
    task(interval) {
      const counts = tasks.get(interval) ?? { interval, cycles: 0, missed: 0, seconds: 0 };
      tasks.set(interval, counts);
      return counts;
    },
  };
}

function zeros(): Record<PollResult, number> {
  return {
    success: 0,
    incomplete: 0,
    no_resources: 0,
    no_data: 0,
    unsupported: 0,
    failed: 0,
    timeout: 0,
    skipped: 0,
  };
}
