import type { CycleReport } from '../output/output.ts';
import type { Edge, Logger } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';
import { scope } from '../util/scope.ts';
import { createTurns } from '../util/turns.ts';
import type { Participation } from './coordination/membership.ts';
import { createCycleCache } from './cycle-cache.ts';
import { EdgeQueue } from './edge-queue.ts';
import { FailureLog } from './failure-log.ts';
import type { PollCounts, TaskCounts } from './poll-counts.ts';
import type { PollsterRun } from './pollster-run.ts';
import type { LoadedDiscovery } from './registry.ts';
import { runSideBySide, samplesOf } from './run-side-by-side.ts';
import { SharedSlot } from './shared-slot.ts';
import { type SlotGrid, slotAt } from './slots.ts';
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

/** All sources of one interval: cycle after cycle on the slot grid, edges in between, never two polls at once. */
export class PollingTask {
  readonly #runs: readonly PollsterRun[];
  readonly #settings: TaskSettings;
  readonly #cycleFailures: FailureLog;
  /** A cycle or an edge at a time. */
  readonly #takeTurn = createTurns();
  readonly #edges: EdgeQueue;
  readonly #sharedSlot: SharedSlot;
  #lastSlot: number | undefined;
  /** When the last cycle without a failure began and ended. */
  #lastWhole: { readonly begun: number; readonly ended: number } | undefined;
  #lastReport: CycleReport | undefined;
  /** On the clock that never steps, when the last cycle ended or the first one was due. */
  #lastEnded: number | undefined;
  #fillWaits = false;

  constructor(runs: readonly PollsterRun[], settings: TaskSettings) {
    this.#runs = runs;
    this.#settings = settings;
    this.#cycleFailures = new FailureLog(settings.log, {
      begins: 'polling failed',
      ends: 'polling does not fail this way any more',
    });
    const { clock, grid, lanes, log, participation } = settings;
    this.#edges = new EdgeQueue({ lanes, clock, log, takeTurn: this.#takeTurn });
    this.#sharedSlot = new SharedSlot(runs, { grid, lanes, clock, log, ...(participation && { participation }) });
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
    await this.#edges.done();
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
    if (this.#hasTold(edge)) return;
    const runs = this.#runs.filter((run) => run.isFedBy(discovery));
    this.#edges.add(edge, runs, kill);
  }

  /** What was read in a cycle of this task is in its samples. */
  #hasTold({ time }: Edge): boolean {
    const cycle = this.#lastWhole;
    return time !== undefined && cycle !== undefined && time >= cycle.begun && time <= cycle.ended;
  }

  /** Polls in the slot in hand what this agent has of the shared work since others left, after what is in hand. */
  fillIn(kill: AbortSignal): void {
    if (this.#fillWaits) return;
    this.#fillWaits = true;
    // Never rejects.
    void this.#takeTurn(() => {
      this.#fillWaits = false;
      return this.#sharedSlot.fillIn(kill);
    });
  }

  /** One cycle as soon as no edge is in hand. Never rejects. */
  cycle(tick: Tick, kill: AbortSignal): Promise<CycleReport> {
    return this.#takeTurn(() => this.#cycle(tick, kill));
  }

  async #cycle(tick: Tick, kill: AbortSignal): Promise<CycleReport> {
    const { clock, counts, deadline, grid, lanes, log, cycleEnded } = this.#settings;
    const share = await this.#sharedSlot.begin(tick.slot);
    const startedAt = clock.now();
    const started = clock.monotonic();
    this.#lastSlot = tick.slot;
    using limit = scope(kill, deadline, 'the cycle');
    const results = await runSideBySide(this.#rotated(tick.slot), lanes, {
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

  /** Another order each cycle, so that a deadline does not always cost the same pollsters. */
  #rotated(slot: number): readonly PollsterRun[] {
    const start = slot % Math.max(1, this.#runs.length);
    return [...this.#runs.slice(start), ...this.#runs.slice(0, start)];
  }
}
