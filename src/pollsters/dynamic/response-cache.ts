import type { JsonValue } from '../../wire/value.ts';

export interface ResponseCache {
  /** What is known under the key, or else what `ask` says. A failure is not kept. */
  get(key: string, milliseconds: number, ask: () => Promise<JsonValue>): Promise<JsonValue>;
}

interface Entry {
  readonly value: JsonValue;
  readonly until: number;
}

const MOST_ENTRIES = 10_000;

/** Answers, each with its own life. The oldest makes room where there are too many. */
export function createResponseCache(now: () => number = () => performance.now()): ResponseCache {
  const entries = new Map<string, Entry>();
  return {
    async get(key, milliseconds, ask) {
      const known = entries.get(key);
      if (known !== undefined && now() < known.until) return known.value;
      entries.delete(key);
      const value = await ask();
      const [oldest] = entries.keys();
      if (oldest !== undefined && entries.size >= MOST_ENTRIES) entries.delete(oldest);
      entries.set(key, { value, until: now() + milliseconds });
      return value;
    },
  };
}
