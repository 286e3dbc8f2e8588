/** From many senders into the store: what comes while one batch is written makes up the next. */
import { describeError } from '../errors.ts';
import type { Logger } from '../plugin.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import type { SampleRecord } from './record.ts';
import type { Arrival, Store } from './store/store.ts';

interface IntakeStats {
  readonly stored: number;
  readonly duplicates: number;
}

export interface Intake {
  readonly stats: IntakeStats;
  /**
   * Resolves when all of it is committed. A store that is away is waited for. Rejects with {@link Refused} when the
   * store takes others but not these, and with the reason of `kill` when that aborts.
   */
  take(records: readonly SampleRecord[], arrivals: readonly Arrival[]): Promise<void>;
}

/** The store will never take these samples. */
class Refused extends Error {}

/** A batch in one commit: what a crash makes the broker deliver again, and how long others wait for an answer. */
const MOST_RECORDS = 5000;
const FIRST_WAIT = 200;
const LONGEST_WAIT = 15_000;

interface Entry {
  readonly records: readonly SampleRecord[];
  readonly arrivals: readonly Arrival[];
  resolve(): void;
  reject(reason: unknown): void;
}

export interface IntakeParts {
  readonly log: Logger;
  readonly kill: AbortSignal;
  readonly clock?: Clock;
}

export function createIntake(store: Store, { log, kill, clock = systemClock }: IntakeParts): Intake {
  const counts = { stored: 0, duplicates: 0 };
  let waiting: Entry[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const batch = nextBatch();
      try {
        await commit(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  function nextBatch(): readonly Entry[] {
    let size = 0;
    let count = 0;
    for (const { records } of waiting) {
      if (count > 0 && size + records.length > MOST_RECORDS) break;
      size += records.length;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  }

  /** Settles all of the batch's entries, or throws when it is broken off. */
  async function commit(batch: readonly Entry[]): Promise<void> {
    let wait = FIRST_WAIT;
    let failures = 0;
    let refused = false;
    for (;;) {
      kill.throwIfAborted();
      try {
        await write(batch);
        if (failures > 0) log.info({ failures }, 'the store takes samples again');
        return;
      } catch (error) {
        failures += 1;
        // The first failure in a row is told; the store may be away for long.
        if (failures === 1) log.error({ reason: describeError(error) }, 'the store does not take samples, they wait');
        const lives = await answers();
        if (lives && refused) {
          await oneByOne(batch);
          return;
        }
        // A single refusal may be a passing fault.
        refused = lives;
        if (lives) continue;
      }
      await clock.sleep(wait, kill);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  }

  async function write(batch: readonly Entry[]): Promise<void> {
    const { stored, duplicates } = await store.write(
      batch.flatMap(({ records }) => records),
      batch.flatMap(({ arrivals }) => arrivals),
    );
    counts.stored += stored;
    counts.duplicates += duplicates;
    for (const { resolve } of batch) resolve();
  }

  /** Whether the store lives, so that a failure was about what it was given. */
  async function answers(): Promise<boolean> {
    try {
      await store.write([], []);
      return true;
    } catch {
      return false;
    }
  }

  /** Keeps apart what the store does not take; what else was with it must not suffer. */
  async function oneByOne(batch: readonly Entry[]): Promise<void> {
    for (const entry of batch) {
      for (let left = true; left; ) {
        kill.throwIfAborted();
        try {
          await write([entry]);
          left = false;
        } catch (error) {
          if (await answers()) {
            entry.reject(new Refused('the store refuses the samples', { cause: error }));
            left = false;
          } else await clock.sleep(FIRST_WAIT, kill);
        }
      }
    }
  }

  return {
    stats: counts,
    take: (records, arrivals) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ records, arrivals, resolve, reject });
        if (!running) void run();
      }),
  };
}
