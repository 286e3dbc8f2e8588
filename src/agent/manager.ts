/** From a configuration to polling tasks: which pollsters run for which source, and with what settings. */

import { supports, unmatched } from '../config/match.ts';
import type { Config } from '../config/options.ts';
import type { PollingSource } from '../config/polling.ts';
import { ConfigError } from '../errors.ts';
import type { CycleReport, Output } from '../output/output.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import type { Participation } from './coordination/membership.ts';
import type { WorkGroups } from './coordination/work-groups.ts';
import { createDiscoverer } from './discovery.ts';
import { watchDiscoveries } from './edge-polls.ts';
import type { AgentHost } from './host.ts';
import { withNames } from './identity-names.ts';
import { type CountBook, createCountBook } from './poll-counts.ts';
import { PollingTask, type TaskState } from './polling-task.ts';
import { PollsterRun, type RunSettings } from './pollster-run.ts';
import type { Registry } from './registry.ts';
import { slotAt, slotGrid } from './slots.ts';
import { upstreamPollsters } from './upstream-pollsters.ts';

export interface ManagerParts {
  readonly config: Config;
  readonly host: AgentHost;
  readonly registry: Registry;
  readonly sources: readonly PollingSource[];
  readonly output: Output;
  readonly clock?: Clock;
  readonly heartbeat?: (pollster: string, timestamp: number) => void;
  /** Goes on counting where another manager ended; a book of its own where left out. */
  readonly counts?: CountBook;
  /** Where agents share their work. */
  readonly sharing?: Sharing;
}

interface Sharing {
  readonly groups: WorkGroups;
  /** Takes part in groups; called once at most. */
  takePart(groups: readonly string[]): Participation;
}

/** One configuration's polling. A reload makes a new manager and lets it take over from the old one. */
export interface AgentManager {
  /** How many pollsters run, over all sources. */
  readonly pollsters: number;
  /** Polls every source on its grid until `stop` aborts; see {@link PollingTask.run}. */
  run(stop: AbortSignal, kill: AbortSignal, predecessor?: AgentManager): Promise<void>;
  /** One cycle of every source now. */
  once(kill: AbortSignal): Promise<readonly CycleReport[]>;
  /** By interval in milliseconds, the last slot that was polled. */
  lastSlots(): ReadonlyMap<number, number>;
  /** How polling fares, a state for each interval. */
  tasks(): readonly TaskState[];
}

/** Throws {@link ConfigError} when no source selects any pollster. */
export function createManager(parts: ManagerParts): AgentManager {
  const clock = parts.clock ?? systemClock;
  const { host, registry } = parts;
  const { tasks, participation } = createTasks({ ...parts, output: named(parts, clock) }, clock);
  return {
    pollsters: tasks.reduce((sum, { size }) => sum + size, 0),
    async run(stop, kill, predecessor) {
      const polled = predecessor?.lastSlots();
      participation?.onDeparture(() => {
        if (!stop.aborted) for (const task of tasks) task.fillIn(kill);
      });
      watchDiscoveries({ discoveries: registry.discoveries, tasks, clock, log: host.log }, stop, kill);
      await Promise.all(tasks.map((task) => task.run(stop, kill, polled?.get(task.interval))));
    },
    once(kill) {
      return Promise.all(
        tasks.map((task) => task.cycle({ slot: slotAt(task.grid, clock.now()), missed: 0, stepped: 0 }, kill)),
      );
    },
    lastSlots() {
      const slots = new Map<number, number>();
      for (const { interval, lastSlot } of tasks) if (lastSlot !== undefined) slots.set(interval, lastSlot);
      return slots;
    },
    tasks: () => tasks.map(({ state }) => state),
  };
}

/** Throws `ERR_CONFIG` where Keystone is to be asked and the credentials do not suffice. */
function named({ config, host, output }: ManagerParts, clock: Clock): Output {
  if (!config.polling.identityNameDiscovery) return output;
  return withNames(output, { session: host.openstack(), clock, log: host.log });
}

interface Tasks {
  readonly tasks: readonly PollingTask[];
  readonly participation: Participation | undefined;
}

function createTasks(parts: ManagerParts, clock: Clock): Tasks {
  const { config, host, output, registry, sharing } = parts;
  const { polling } = config;
  const { counts = createCountBook() } = parts;
  warnOfUnmatched(parts);
  const work = runsByInterval(parts, counts, clock).filter(({ runs }) => runs.length > 0);
  if (work.length === 0) {
    const known = registry.pollsters.map(({ name }) => name).sort();
    throw new ConfigError(`no polling source selects any of the loaded pollsters (${known.join(', ')})`);
  }
  const groups = [...new Set(work.flatMap(({ runs }) => groupsOf(runs)))];
  const participation = groups.length === 0 ? undefined : sharing?.takePart(groups);
  const tasks = work.map(
    ({ interval, runs }) =>
      new PollingTask(runs, {
        grid: slotGrid(gridOwner(runs, parts), interval),
        lanes: polling.threadsToProcessPollsters,
        deadline: milliseconds(polling.cycleTimeout) ?? 2 * interval,
        clock,
        ...(participation && { participation }),
        log: host.log,
        counts: counts.task(interval / 1000),
        cycleEnded: (report) => output.cycleEnded?.(report),
      }),
  );
  return { tasks, participation };
}

interface IntervalRuns {
  /** Milliseconds. */
  readonly interval: number;
  readonly runs: readonly PollsterRun[];
}

function runsByInterval(parts: ManagerParts, counts: CountBook, clock: Clock): readonly IntervalRuns[] {
  const { config, heartbeat, host, output, registry, sharing, sources } = parts;
  const { batchSize, pollsterTimeout } = config.polling;
  const common: Omit<RunSettings, 'deadline'> = {
    host,
    output,
    discoverer: createDiscoverer(registry.discoveries),
    ...(sharing && { groups: sharing.groups }),
    clock,
    sampleSource: config.default.sampleSource,
    batchSize,
    ...(heartbeat && { heartbeat }),
  };
  return [...groupByInterval(sources)].map(([seconds, group]) => {
    const interval = seconds * 1000;
    const settings: RunSettings = { ...common, deadline: milliseconds(pollsterTimeout) ?? interval };
    const runs = group.flatMap((source) =>
      registry.pollsters
        .filter(({ name }) => supports(source.meters, name))
        .map((entry) => {
          const count = counts.pollster(source.name, entry.namespace, entry.name);
          return new PollsterRun(source, entry, count, settings);
        }),
    );
    return { interval, runs };
  });
}

/** Agents that share work poll it on one grid, so that none of its slots lies between two of them. */
function gridOwner(runs: readonly PollsterRun[], { host, sharing }: ManagerParts): string {
  if (sharing === undefined) return host.hostname;
  const { found, prefix } = sharing.groups;
  const ofThisHost = found(host.hostname);
  return groupsOf(runs).some((group) => group !== ofThisHost) ? prefix : host.hostname;
}

function groupsOf(runs: readonly PollsterRun[]): readonly string[] {
  return runs.flatMap(({ groups }) => groups);
}

/** A name that selects nothing is a mistake, unless it is of a namespace that another agent polls. */
function warnOfUnmatched({ host, registry, sources }: ManagerParts): void {
  const known = registry.pollsters.map(({ name }) => name);
  const elsewhere = Object.values(upstreamPollsters).flat();
  for (const source of sources) {
    for (const { pattern, nearest } of unmatched(source.meters, known)) {
      if (elsewhere.some((name) => supports([pattern], name))) continue;
      const fields = { where: source.where, source: source.name, meters: pattern };
      host.log.warn(
        nearest === undefined ? fields : { ...fields, nearest },
        'no pollster of the polled namespaces matches',
      );
    }
  }
}

function groupByInterval(sources: readonly PollingSource[]): Map<number, PollingSource[]> {
  const groups = new Map<number, PollingSource[]>();
  for (const source of sources) {
    const group = groups.get(source.interval) ?? [];
    group.push(source);
    groups.set(source.interval, group);
  }
  return groups;
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
