import type { CycleReport } from '../output/output.ts';
import type { Edge, Logger } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';
import { forEachLimit } from '../util/map-limit.ts';
import { scope } from '../util/scope.ts';
import { createTurns } from '../util/turns.ts';
import type { Participation } from './coordination/membership.ts';
import { both, gained, type Share } from './coordination/share.ts';
import { createCycleCache } from './cycle-cache.ts';
import { planCycle } from './cycle-plan.ts';
import { FailureLog } from './failure-log.ts';
import type { PollCounts, TaskCounts } from './poll-counts.ts';
import type { Cycle, PollsterRun, RunResult } from './pollster-run.ts';
import type { LoadedDiscovery } from './registry.ts';
import { type SlotGrid, slotAt, slotStart } from './slots.ts';
import { IdNumbers } from './tally.ts';
import { type Tick, ticks } from './ticker.ts';

export interface TaskSettings {
  readonly grid: SlotGrid;
  /** Pollsters that run side by side; 0 runs all at once. */
  readonly lanes: number;
  /** Milliseconds after which what is left of a cycle is let go of. */
  readonly deadline: number;
  readonly clock: Clock;
  /** Where its work is shared with other agents. */
  readonly participation?: Participation;
  readonly log: Logger;
  readonly counts: TaskCounts;
  readonly cycleEnded: (report: CycleReport) => void;
}

/** How a task fares, for those who watch the agent. */
export interface TaskState {
  readonly counts: TaskCounts;
  readonly pollsters: readonly PollCounts[];
  readonly lastReport: CycleReport | undefined;
  /** Milliseconds since the last cycle ended, or since polling on the grid began; 0 before that. */
  readonly sinceCycle: number;
}

interface WaitingEdge {
  readonly edge: Edge;
  readonly runs: readonly PollsterRun[];
  readonly time: number;
}

/** Milliseconds for the poll of one edge; a cycle that is due waits that long at most. */
const EDGE_DEADLINE = 10_000;
/** Milliseconds that a cycle waits to learn its share, where its interval is not short. */
const SHARE_PATIENCE = 2_000;
/** The part of what is left of a slot that may be spent on what other agents left. */
const FILL_SHARE = 0.9;
/** Edges that may wait for their poll. */
const EDGES_MAX = 1_000;

/** All sources of one interval: cycle after cycle on the slot grid, edges in between, never two polls at once. */
export class PollingTask {
  readonly #runs: readonly PollsterRun[];
  readonly #settings: TaskSettings;
  readonly #cycleFailures: FailureLog;
  readonly #edgeFailures: FailureLog;
  /** A cycle or an edge at a time. */
  readonly #takeTurn = createTurns();
  readonly #edges: WaitingEdge[] = [];
  #edgesAtWork: Promise<void> | undefined;
  #refusedEdges = 0;
  #lastSlot: number | undefined;
  /** When the last cycle without a failure began and ended. */
  #lastWhole: { readonly begun: number; readonly ended: number } | undefined;
  #lastReport: CycleReport | undefined;
  /** On the clock that never steps, when the last cycle ended or the first one was due. */
  #lastEnded: number | undefined;
  /** What was polled of the shared work in the last slot. */
  #covered: Share | undefined;
  #fillWaits = false;

  constructor(runs: readonly PollsterRun[], settings: TaskSettings) {
    this.#runs = runs;
    this.#settings = settings;
    this.#cycleFailures = new FailureLog(settings.log, {
      begins: 'polling failed',
      ends: 'polling does not fail this way any more',
    });
    this.#edgeFailures = new FailureLog(settings.log, {
      begins: 'polling outside of the slots failed',
      ends: 'polling outside of the slots does not fail this way any more',
    });
  }

  /** Pollsters that it runs each cycle. */
  get size(): number {
    return this.#runs.length;
  }

  get grid(): SlotGrid {
    return this.#settings.grid;
  }

  get interval(): number {
    return this.#settings.grid.interval;
  }

  /** The last slot that was polled; a task that takes over begins after it. */
  get lastSlot(): number | undefined {
    return this.#lastSlot;
  }

  get state(): TaskState {
    const { clock, counts } = this.#settings;
    return {
      counts,
      pollsters: this.#runs.map((run) => run.counts),
      lastReport: this.#lastReport,
      sinceCycle: this.#lastEnded === undefined ? 0 : clock.monotonic() - this.#lastEnded,
    };
  }

  /** Polls on the grid until `stop` aborts; a cycle in hand is finished, or let go of when `kill` aborts. */
  async run(stop: AbortSignal, kill: AbortSignal, after?: number): Promise<void> {
    const { clock, counts, grid, log } = this.#settings;
    this.#lastEnded = clock.monotonic();
    for await (const tick of ticks(grid, clock, stop, after)) {
      if (tick.stepped !== 0)
        log.warn({ seconds: tick.stepped / 1000 }, 'the wall clock stepped, taking the grid up anew');
      if (tick.missed > 0) {
        counts.missed += tick.missed;
        log.warn(
          { interval: grid.interval / 1000, missed: tick.missed },
          'the cycle before was late, slots were missed',
        );
      }
      await this.cycle(tick, kill);
    }
    await this.#edgesAtWork;
    await this.#takeTurn(async () => {});
    await this.#pollLastSlot(kill);
  }

  /**
   * The others may have asked before this agent left, and count on it in the slot that has begun since its last cycle.
   */
  async #pollLastSlot(kill: AbortSignal): Promise<void> {
    const { clock, counts, grid, participation } = this.#settings;
    const [last, slot] = [this.#lastSlot, slotAt(grid, clock.now())];
    // After a reload the next configuration has it.
    if (participation?.hasLeft() !== true || last === undefined || slot <= last || kill.aborted) return;
    const missed = slot - last - 1;
    counts.missed += missed;
    await this.cycle({ slot, missed, stepped: 0 }, kill);
  }

  isFedBy(discovery: LoadedDiscovery): boolean {
    return this.#runs.some((run) => run.isFedBy(discovery));
  }

  /** Has the pollsters that this discovery feeds poll one resource, after what is in hand. */
  offer(edge: Edge, discovery: LoadedDiscovery, kill: AbortSignal): void {
    const { clock, log } = this.#settings;
    if (this.#hasTold(edge)) return;
    if (this.#edges.length >= EDGES_MAX) {
      if (this.#refusedEdges === 0)
        log.warn({ waiting: EDGES_MAX }, 'too many edges wait, further ones are not polled');
      this.#refusedEdges += 1;
      return;
    }
    this.#edges.push({
      edge,
      runs: this.#runs.filter((run) => run.isFedBy(discovery)),
      time: edge.time ?? clock.now(),
    });
    this.#edgesAtWork ??= this.#pollEdges(kill).finally(() => {
      this.#edgesAtWork = undefined;
    });
  }

  /** What was read in a cycle of this task is in its samples. */
  #hasTold({ time }: Edge): boolean {
    const cycle = this.#lastWhole;
    return time !== undefined && cycle !== undefined && time >= cycle.begun && time <= cycle.ended;
  }

  async #pollEdges(kill: AbortSignal): Promise<void> {
    for (let next = this.#edges.shift(); next !== undefined; next = this.#edges.shift()) {
      const waiting = next;
      // One turn for each, so that a cycle that is due comes between.
      await this.#takeTurn(() => this.#pollEdge(waiting, kill));
    }
    if (this.#refusedEdges > 0) {
      this.#settings.log.info({ refused: this.#refusedEdges }, 'polling edges again');
      this.#refusedEdges = 0;
    }
  }

  async #pollEdge({ edge, runs, time }: WaitingEdge, kill: AbortSignal): Promise<void> {
    const { log } = this.#settings;
    using limit = scope(kill, EDGE_DEADLINE, `the poll of ${edge.resource.id} outside of the slots`);
    const results = await this.#runAll(runs, {
      slot: `edge ${edge.key}`,
      signal: limit.signal,
      cache: createCycleCache(edge.known),
      polled: new Map(),
      ids: new IdNumbers(),
      only: [edge.resource],
      time,
    });
    const failures = kill.aborted ? [] : this.#edgeFailures.tell(results);
    const fields = { resource: edge.resource.id, edge: edge.key };
    log.info({ ...fields, samples: samplesOf(results), failures: failures.length }, 'polled outside of the slots');
  }

  async #runAll(runs: readonly PollsterRun[], rest: Omit<Cycle, 'plan'>): Promise<ReadonlyMap<PollsterRun, RunResult>> {
    const { lanes } = this.#settings;
    const planned = new Map(runs.map((run) => [run, run.planned(rest.share)]));
    const plan = planCycle([...planned.values()].filter((one) => one !== undefined));
    const cycle: Cycle = { ...rest, plan };
    const results = new Map<PollsterRun, RunResult>();
    const begin = async (run: PollsterRun) => {
      results.set(run, await run.run(cycle));
    };
    const shared = runs.filter((run) => run.isShared);
    const parts = plan.parts(
      runs.filter((run) => !run.isShared),
      (run) => planned.get(run),
    );
    await Promise.all([
      ...shared.map(begin),
      forEachLimit(parts, lanes === 0 ? parts.length : lanes, async (part) => {
        await Promise.all(part.map(begin));
      }),
    ]);
    return results;
  }

  /** Polls in the slot in hand what this agent has of the shared work since others left, after what is in hand. */
  fillIn(kill: AbortSignal): void {
    if (this.#fillWaits) return;
    this.#fillWaits = true;
    // Never rejects.
    void this.#takeTurn(() => {
      this.#fillWaits = false;
      return this.#fillIn(kill);
    });
  }

  async #fillIn(kill: AbortSignal): Promise<void> {
    const { clock, grid, log } = this.#settings;
    const [slot, before] = [this.#lastSlot, this.#covered];
    const runs = this.#runs.filter(({ groups }) => groups.length > 0);
    if (slot === undefined || before === undefined || runs.length === 0) return;
    const share = await this.#share();
    const now = clock.now();
    if (share === undefined || kill.aborted) return;
    if (slotAt(grid, now) !== slot) {
      // The next cycle is due, and has it from then on.
      log.info({ slot }, 'the slot was over before what other agents left of it could be polled');
      return;
    }
    this.#covered = both(before, share);
    using limit = scope(kill, FILL_SHARE * (slotStart(grid, slot + 1) - now), 'what other agents left of the slot');
    const results = await this.#runAll(runs, {
      slot,
      signal: limit.signal,
      cache: createCycleCache(),
      polled: new Map(),
      ids: new IdNumbers(),
      share: gained(share, before),
    });
    const failures = [...results.values()].map(({ failure }) => failure).filter((failure) => failure !== undefined);
    const samples = samplesOf(results);
    if (failures.length > 0 && !kill.aborted) {
      log.warn({ samples, failures: failures.length, first: failures[0] }, 'could not poll all that other agents left');
    } else if (samples > 0) log.info({ samples }, 'polled what other agents left');
  }

  /** One cycle as soon as no edge is in hand. Never rejects. */
  cycle(tick: Tick, kill: AbortSignal): Promise<CycleReport> {
    return this.#takeTurn(() => this.#cycle(tick, kill));
  }

  async #cycle(tick: Tick, kill: AbortSignal): Promise<CycleReport> {
    const { clock, counts, deadline, grid, log, cycleEnded } = this.#settings;
    const share = await this.#share();
    this.#covered = share;
    const startedAt = clock.now();
    const started = clock.monotonic();
    this.#lastSlot = tick.slot;
    using limit = scope(kill, deadline, 'the cycle');
    const results = await this.#runAll(this.#rotated(tick.slot), {
      slot: tick.slot,
      signal: limit.signal,
      cache: createCycleCache(),
      polled: new Map(),
      ids: new IdNumbers(),
      ...(share && { share }),
    });
    const ended = clock.monotonic();
    this.#lastEnded = ended;
    counts.cycles += 1;
    counts.seconds += (ended - started) / 1000;
    const report: CycleReport = {
      interval: grid.interval / 1000,
      sources: [...new Set(this.#runs.map(({ source }) => source.name))],
      slot: tick.slot,
      startedAt,
      seconds: Math.round(ended - started) / 1000,
      pollsters: this.#runs.length,
      samples: samplesOf(results),
      failures: kill.aborted ? [] : this.#cycleFailures.tell(results),
      missedSlots: tick.missed,
    };
    this.#lastReport = report;
    const { samples, pollsters, failures, seconds } = report;
    if (failures.length === 0 && !kill.aborted) this.#lastWhole = { begun: startedAt, ended: clock.now() };
    log.info({ sources: report.sources, pollsters, samples, failures: failures.length, seconds }, 'cycle done');
    cycleEnded(report);
    return report;
  }

  /** Undefined where all work is its own. */
  async #share(): Promise<Share | undefined> {
    return this.#settings.participation?.share(Math.min(SHARE_PATIENCE, this.interval / 4));
  }

  /** Another order each cycle, so that a deadline does not always cost the same pollsters. */
  #rotated(slot: number): readonly PollsterRun[] {
    const start = slot % Math.max(1, this.#runs.length);
    return [...this.#runs.slice(start), ...this.#runs.slice(0, start)];
  }
}

function samplesOf(results: ReadonlyMap<PollsterRun, RunResult>): number {
  return [...results.values()].reduce((sum, { samples }) => sum + samples, 0);
}
