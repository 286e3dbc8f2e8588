import type { CycleReport, PollsterFailure } from '../output/output.ts';
import type { Logger } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';
import { forEachLimit } from '../util/map-limit.ts';
import { scope } from '../util/scope.ts';
import { createCycleCache } from './cycle-cache.ts';
import type { Cycle, PollsterRun, RunResult } from './pollster-run.ts';
import type { SlotGrid } from './slots.ts';
import { type Tick, ticks } from './ticker.ts';

export interface TaskSettings {
  readonly grid: SlotGrid;
  /** Pollsters that run side by side; 0 runs all at once. */
  readonly lanes: number;
  /** Milliseconds after which what is left of a cycle is let go of. */
  readonly deadline: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cycleEnded: (report: CycleReport) => void;
}

/** All sources of one interval: cycle after cycle on the slot grid, never two at once. */
export class PollingTask {
  readonly #runs: readonly PollsterRun[];
  readonly #settings: TaskSettings;
  /** Failures of the last cycle, by message: each is logged when it begins and when it ends. */
  #failing: ReadonlySet<string> = new Set();
  #lastSlot: number | undefined;

  constructor(runs: readonly PollsterRun[], settings: TaskSettings) {
    this.#runs = runs;
    this.#settings = settings;
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

  /** Polls on the grid until `stop` aborts; a cycle in hand is finished, or let go of when `kill` aborts. */
  async run(stop: AbortSignal, kill: AbortSignal, after?: number): Promise<void> {
    const { clock, grid, log } = this.#settings;
    for await (const tick of ticks(grid, clock, stop, after)) {
      if (tick.stepped !== 0)
        log.warn({ seconds: tick.stepped / 1000 }, 'the wall clock stepped, taking the grid up anew');
      if (tick.missed > 0) {
        log.warn(
          { interval: grid.interval / 1000, missed: tick.missed },
          'the cycle before was late, slots were missed',
        );
      }
      await this.cycle(tick, kill);
    }
  }

  /** One cycle now. Never rejects. */
  async cycle(tick: Tick, kill: AbortSignal): Promise<CycleReport> {
    const { clock, deadline, grid, lanes, log, cycleEnded } = this.#settings;
    const startedAt = clock.now();
    const started = clock.monotonic();
    this.#lastSlot = tick.slot;
    using limit = scope(kill, deadline, 'the cycle');
    const cycle: Cycle = { slot: tick.slot, signal: limit.signal, cache: createCycleCache(), polled: new Map() };
    const results = new Map<PollsterRun, RunResult>();
    await forEachLimit(this.#rotated(tick.slot), lanes === 0 ? this.#runs.length : lanes, async (run) => {
      results.set(run, await run.run(cycle));
    });
    const report: CycleReport = {
      interval: grid.interval / 1000,
      sources: [...new Set(this.#runs.map(({ source }) => source.name))],
      slot: tick.slot,
      startedAt,
      seconds: Math.round(clock.monotonic() - started) / 1000,
      pollsters: this.#runs.length,
      samples: [...results.values()].reduce((sum, { samples }) => sum + samples, 0),
      failures: kill.aborted ? [] : this.#report(results),
      missedSlots: tick.missed,
    };
    const { samples, pollsters, failures, seconds } = report;
    log.info({ sources: report.sources, pollsters, samples, failures: failures.length, seconds }, 'cycle done');
    cycleEnded(report);
    return report;
  }

  /** Another order each cycle, so that a deadline does not always cost the same pollsters. */
  #rotated(slot: number): readonly PollsterRun[] {
    const start = slot % Math.max(1, this.#runs.length);
    return [...this.#runs.slice(start), ...this.#runs.slice(0, start)];
  }

  #report(results: ReadonlyMap<PollsterRun, RunResult>): readonly PollsterFailure[] {
    const { log } = this.#settings;
    const failures: PollsterFailure[] = [];
    const byMessage = new Map<string, { pollsters: string[]; unexpected: unknown }>();
    for (const [{ source, entry }, { failure, unexpected }] of results) {
      if (failure === undefined) continue;
      failures.push({ source: source.name, pollster: entry.name, message: failure });
      const group = byMessage.get(failure) ?? { pollsters: [], unexpected };
      group.pollsters.push(entry.name);
      byMessage.set(failure, group);
    }
    for (const [reason, { pollsters, unexpected }] of byMessage) {
      if (this.#failing.has(reason)) continue;
      const fields = { pollsters: pollsters.length, first: pollsters[0], reason };
      log.error(unexpected === undefined ? fields : { ...fields, err: unexpected }, 'polling failed');
    }
    for (const reason of this.#failing) {
      if (!byMessage.has(reason)) log.info({ reason }, 'polling does not fail this way any more');
    }
    this.#failing = new Set(byMessage.keys());
    return failures;
  }
}
