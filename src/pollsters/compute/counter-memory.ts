/** What a counter said at one poll. */
export interface Counter {
  readonly value: bigint;
  /** Seconds on CLOCK_MONOTONIC. */
  readonly at: number;
  /** Names the stretch of time over which the counter only grows; it starts at zero with each. */
  readonly life: string;
}

/** The counters of one instance as one polling source last saw them. */
export interface History {
  /** Keeps what the counter says now and returns what it said before. */
  swap(part: string, now: Counter): Counter | undefined;
}

/**
 * The last values of one meter's counters. Each source has its own, since it polls at its own pace. The map is all
 * there is to it, so that it can be kept over a restart: by source and instance, then by part of the instance.
 */
export class CounterMemory {
  readonly counters: Map<string, Map<string, Counter>>;

  constructor(counters: Map<string, Map<string, Counter>> = new Map()) {
    this.counters = counters;
  }

  of(source: string, instanceId: string): History {
    const key = keyOf(source, instanceId);
    return {
      swap: (part, now) => {
        let parts = this.counters.get(key);
        if (parts === undefined) {
          parts = new Map();
          this.counters.set(key, parts);
        }
        const previous = parts.get(part);
        parts.set(part, now);
        return previous;
      },
    };
  }

  /** Forgets what the source saw of all other instances. */
  keepOnly(source: string, instances: readonly { readonly id: string }[]): void {
    if (this.counters.size === 0) return;
    const kept = new Set(instances.map(({ id }) => keyOf(source, id)));
    const prefix = keyOf(source, '');
    for (const key of this.counters.keys()) {
      if (key.startsWith(prefix) && !kept.has(key)) this.counters.delete(key);
    }
  }
}

function keyOf(source: string, instanceId: string): string {
  return `${source}\n${instanceId}`;
}
