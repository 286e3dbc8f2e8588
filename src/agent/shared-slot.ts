import type { Logger } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';
import { scope } from '../util/scope.ts';
import type { Participation } from './coordination/membership.ts';
import { both, gained, type Share } from './coordination/share.ts';
import { createCycleCache } from './cycle-cache.ts';
import type { PollsterRun } from './pollster-run.ts';
import { runSideBySide, samplesOf } from './run-side-by-side.ts';
import { type SlotGrid, slotAt, slotStart } from './slots.ts';
import { IdNumbers } from './tally.ts';

export interface SharedSlotSettings {
  readonly grid: SlotGrid;
  readonly lanes: number;
  readonly clock: Clock;
  /** Left out where a task shares its work with nobody. */
  readonly participation?: Participation;
  readonly log: Logger;
}

/** Milliseconds that a cycle waits to learn its share, where its interval is not short. */
const SHARE_PATIENCE = 2_000;
/** The part of what is left of a slot that may be spent on what other agents left. */
const FILL_SHARE = 0.9;

/** What a task has of the work that agents share in the slot in hand, and what it gains when others leave. */
export class SharedSlot {
  readonly #runs: readonly PollsterRun[];
  readonly #settings: SharedSlotSettings;
  /** What was polled in it, or is being polled. */
  #covered: { readonly slot: number; readonly share: Share } | undefined;

  constructor(runs: readonly PollsterRun[], settings: SharedSlotSettings) {
    this.#runs = runs.filter(({ groups }) => groups.length > 0);
    this.#settings = settings;
  }

  /** The share of the cycle that begins with this slot; undefined where all work is its own. */
  async begin(slot: number): Promise<Share | undefined> {
    const share = await this.#share();
    this.#covered = share && { slot, share };
    return share;
  }

  /** Polls in the slot in hand what this agent has of the shared work since others left. Never rejects. */
  async fillIn(kill: AbortSignal): Promise<void> {
    const { clock, grid, lanes, log } = this.#settings;
    const covered = this.#covered;
    if (covered === undefined || this.#runs.length === 0) return;
    const { slot, share: before } = covered;
    const share = await this.#share();
    const now = clock.now();
    if (share === undefined || kill.aborted) return;
    if (slotAt(grid, now) !== slot) {
      // The next cycle is due, and has it from then on.
      log.info({ slot }, 'the slot was over before what other agents left of it could be polled');
      return;
    }
    this.#covered = { slot, share: both(before, share) };
    using limit = scope(kill, FILL_SHARE * (slotStart(grid, slot + 1) - now), 'what other agents left of the slot');
    const results = await runSideBySide(this.#runs, lanes, {
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

  async #share(): Promise<Share | undefined> {
    const { grid, participation } = this.#settings;
    return participation?.share(Math.min(SHARE_PATIENCE, grid.interval / 4));
  }
}
