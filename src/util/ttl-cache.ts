import type { Clock } from './clock.ts';

export interface TtlCache<T> {
  /** What is known, or else what `load` says; callers for one key share its answer. A failure is not kept. */
  get(key: string, signal: AbortSignal): Promise<T | undefined>;
}

export interface Life {
  readonly clock: Clock;
  /** Milliseconds that a value is good for, and the word that there is none. */
  readonly ttl: number;
  readonly nothingTtl: number;
}

interface Entry<T> {
  readonly value: Promise<T | undefined>;
  until: number;
}

export function createTtlCache<T>(
  { clock, ttl, nothingTtl }: Life,
  load: (key: string, signal: AbortSignal) => Promise<T | undefined>,
): TtlCache<T> {
  const entries = new Map<string, Entry<T>>();
  let swept = clock.monotonic();

  /** Now and then: a look-up must not cost as much as there are entries. */
  function sweep(now: number): void {
    if (now - swept < nothingTtl) return;
    swept = now;
    for (const [key, { until }] of entries) if (now >= until) entries.delete(key);
  }

  return {
    get(key, signal) {
      const now = clock.monotonic();
      sweep(now);
      const known = entries.get(key);
      if (known !== undefined && now < known.until) return known.value;
      const entry: Entry<T> = { value: load(key, signal), until: Number.POSITIVE_INFINITY };
      entries.set(key, entry);
      entry.value.then(
        (value) => {
          entry.until = clock.monotonic() + (value === undefined ? nothingTtl : ttl);
        },
        () => entries.delete(key),
      );
      return entry.value;
    },
  };
}
