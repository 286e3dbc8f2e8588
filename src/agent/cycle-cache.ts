import type { CycleCache } from '../plugin.ts';

/** `known` are values that need not be loaded. */
export function createCycleCache(known: ReadonlyMap<string, unknown> = new Map()): CycleCache {
  const values = new Map(Array.from(known, ([key, value]) => [key, Promise.resolve(value)]));
  return {
    get<T>(key: string, load: () => T | Promise<T>): Promise<T> {
      let value = values.get(key);
      if (value === undefined) {
        value = new Promise((resolve) => resolve(load()));
        // Each caller handles the failure of the promise it awaits; nobody may be awaiting it yet.
        value.catch(() => {});
        values.set(key, value);
      }
      return value as Promise<T>;
    },
  };
}
