/** A reading of a value that may come from one of several counters. */
export interface CounterReading {
  readonly counter: string;
  /** The life of what has the counters, which begin anew with each. */
  readonly life: number;
  /** Seconds on CLOCK_MONOTONIC. */
  readonly at: number;
}

interface Choice {
  readonly counter: string;
  readonly life: number;
  /** When another counter came in its place. */
  readonly missingAt?: number;
}

/**
 * Which of several counters the value of each instance comes from. They are far apart, so a change from one to another
 * would look as if the instance had started anew.
 */
export class CounterChoices {
  readonly #chosen = new Map<string, Choice>();

  /**
   * Whether the value that was read counts. A single reading from another counter than before does not; only when the
   * usual one is missing again does the other one take its place.
   */
  accepts(instanceId: string, { counter, life, at }: CounterReading): boolean {
    const before = this.#chosen.get(instanceId);
    if (before === undefined || before.life !== life) {
      this.#chosen.set(instanceId, { counter, life });
      return true;
    }
    if (before.counter === counter) {
      if (before.missingAt !== undefined) this.#chosen.set(instanceId, { counter, life });
      return true;
    }
    const missingAt = before.missingAt ?? at;
    // One reading may be asked about by several sources.
    const isFirst = missingAt === at;
    this.#chosen.set(instanceId, isFirst ? { ...before, missingAt } : { counter, life });
    return !isFirst;
  }

  /** Forgets all other instances. */
  keepOnly(instances: ReadonlySet<string>): void {
    for (const id of this.#chosen.keys()) if (!instances.has(id)) this.#chosen.delete(id);
  }
}
