import { systemClock } from './clock.ts';
import { settledWithin } from './patience.ts';

/** For what is not to be kept as a whole. */
export interface ReplayBounds {
  /** How many will read it. What all of them have read is let go of. */
  readonly readers: number;
  /** Milliseconds that one who is slow holds up the others; after that, what it has not read is kept for it. */
  readonly patience: number;
}

/**
 * Resolves when more is wanted, to false when nobody is left who reads: at once where there are no bounds. With bounds
 * that is when a reader has nothing left to read, and none of those that have begun is slow.
 */
type Put<T> = (value: T) => Promise<boolean>;

interface Reader {
  taken: number;
  waits: boolean;
  /** Is not waited for any more. */
  slow: boolean;
}

const never = new AbortController().signal;

/**
 * What arrives bit by bit, for any number of readers: each gets all of it from the beginning, and waits only for what
 * has not come yet. `produce` begins at once and goes on whoever reads, as far as it does not wait for `put`; its failure
 * comes after what it has put before.
 */
export function replay<T>(produce: (put: Put<T>) => Promise<void>, bounds?: ReplayBounds): AsyncIterable<T> {
  const values: T[] = [];
  const readers = new Set<Reader>();
  /** Values that are not kept any more. */
  let dropped = 0;
  let begun = 0;
  let complete = false;
  let tell: () => void = () => {};
  let news = Promise.resolve();

  function changed(): void {
    const told = tell;
    news = new Promise((resolve) => {
      tell = resolve;
    });
    told();
  }

  const end = () => dropped + values.length;

  /** Something has happened that matters to who produces. */
  function read(): void {
    if (bounds === undefined) return;
    if (begun >= bounds.readers) {
      const least = Math.min(end(), ...Array.from(readers, ({ taken }) => taken));
      values.splice(0, least - dropped);
      dropped = least;
    }
    changed();
  }

  async function room({ patience, readers: expected }: ReplayBounds): Promise<boolean> {
    let since: number | undefined;
    for (;;) {
      if (readers.size === 0 && begun >= expected) return false;
      const slow = [...readers].filter((one) => one.taken < end() && !one.slow);
      if (![...readers].some(({ taken, waits }) => waits && taken === end())) await news;
      else if (slow.length === 0) return true;
      else {
        since ??= systemClock.monotonic();
        const left = patience - (systemClock.monotonic() - since);
        if (left > 0 && (await settledWithin(news, left, never, systemClock))) continue;
        for (const one of slow) one.slow = true;
      }
    }
  }

  changed();
  const whole = produce(async (value) => {
    values.push(value);
    changed();
    return bounds === undefined || room(bounds);
  }).finally(() => {
    complete = true;
    changed();
  });
  // Each reader is told of the failure; there may be none.
  whole.catch(() => {});

  return {
    async *[Symbol.asyncIterator]() {
      if (dropped > 0) throw new Error('more readers than were announced');
      const reader: Reader = { taken: 0, waits: false, slow: false };
      readers.add(reader);
      begun += 1;
      try {
        for (;;) {
          for (const value of values.slice(reader.taken - dropped)) {
            reader.waits = false;
            reader.taken += 1;
            read();
            yield value;
          }
          if (reader.taken < end()) continue;
          if (complete) return await whole;
          if (!reader.waits) {
            reader.waits = true;
            read();
          }
          await news;
        }
      } finally {
        readers.delete(reader);
        read();
      }
    },
  };
}
