import type { Clock } from '../util/clock.ts';
import { type SlotGrid, slotAt, slotStart } from './slots.ts';

export interface Tick {
  readonly slot: number;
  /** Slots that passed while the tick before was worked on. */
  readonly missed: number;
  /** Milliseconds by which the wall clock stepped since the tick before; 0 when it did not. */
  readonly stepped: number;
}

/** Wakes at least this often, so that a stepped clock is noticed. */
const LONGEST_SLEEP = 10_000;
/** Slower than this against the monotonic clock is drift, not a step. */
const SMALLEST_STEP = 2_000;

/**
 * The slots of a grid as they come due: the first at once, then each at its time. A consumer that comes back late skips
 * to the next slot to come, except that the first tick does not cost the slot after it. After a step of the wall clock
 * the grid is taken up again from the new time. Slots up to `after` were polled by somebody else already. Ends when
 * `stop` aborts.
 */
export async function* ticks(
  grid: SlotGrid,
  clock: Clock,
  stop: AbortSignal,
  after = Number.NEGATIVE_INFINITY,
): AsyncGenerator<Tick, void, void> {
  let next = Math.max(slotAt(grid, clock.now()), after + 1);
  let missed = 0;
  let stepped = 0;
  let first = true;
  let skew = clock.now() - clock.monotonic();
  while (!stop.aborted) {
    for (;;) {
      const now = clock.now();
      const step = now - clock.monotonic() - skew;
      if (Math.abs(step) >= SMALLEST_STEP) {
        stepped += step;
        skew += step;
        missed = 0;
        next = slotAt(grid, now) + 1;
      }
      const wait = slotStart(grid, next) - now;
      if (wait <= 0 || stop.aborted) break;
      await clock.sleep(Math.min(wait, LONGEST_SLEEP), stop);
    }
    if (stop.aborted) return;
    yield { slot: next, missed, stepped };
    stepped = 0;
    const reached = slotAt(grid, clock.now());
    // The first tick may come shortly before a slot, which it must not cost: that one is not late, it begins late.
    const begun = first && reached === next + 1;
    first = false;
    missed = begun ? 0 : Math.max(0, reached - next);
    next = begun ? reached : Math.max(next, reached) + 1;
  }
}
