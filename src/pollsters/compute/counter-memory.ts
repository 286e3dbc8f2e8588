import type { KeptState } from '../../plugin.ts';
import { bootId } from '../../util/boot-id.ts';
import { CounterChoices, type CounterReading } from './counter-choices.ts';
import { packCounters, unpackCounters } from './kept-counters.ts';

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
  /**
   * Keeps what the counter says now and returns what it said before. A value that was read before the one that is kept
   * is told already: it is returned itself, so that nothing has come since.
   */
  swap(part: string, now: Counter): Counter | undefined;
  /** For a value that may come from several counters, whether it may come from this one now, whichever source asks. */
  accepts(reading: CounterReading): boolean;
}

/** One meter of one source. */
export interface HistoryKey {
  readonly meter: string;
  readonly source: string;
  /** Seconds that a counter of an earlier run of the agent is good for. */
  readonly maxAge: number;
}

/** By meter, source, instance and part of the instance. */
export type Counters = Map<string, Map<string, Map<string, Map<string, Counter>>>>;

/** For what needs no poll before. */
export const noHistory: History = { swap: () => undefined, accepts: () => true };

/** The last values of counters. Each source has its own, since it polls at its own pace. */
export class CounterMemory {
  readonly #state: KeptState;
  readonly #bootId: () => Promise<string | undefined>;
  readonly #counters: Counters = new Map();
  /** By meter. */
  readonly #choices = new Map<string, CounterChoices>();
  /** Those that an earlier run has kept. */
  readonly #inherited = new WeakSet<Counter>();
  #boot: string | undefined;
  #ready: Promise<void> | undefined;

  /** `boot` names the time since the machine was started; where it does not know, nothing is kept. */
  constructor(state: KeptState, boot = bootId) {
    this.#state = state;
    this.#bootId = boot;
  }

  /** Takes over what an earlier run has kept, once. Await it before the first value. */
  ready(): Promise<void> {
    this.#ready ??= this.#takeOver();
    return this.#ready;
  }

  of({ meter, source, maxAge }: HistoryKey, instanceId: string): History {
    return {
      swap: (part, now) => {
        const parts = this.#parts(meter, source, instanceId);
        const previous = parts.get(part);
        if (previous !== undefined && now.at < previous.at) return now;
        parts.set(part, now);
        if (previous === undefined || !this.#inherited.has(previous)) return previous;
        return now.at - previous.at > maxAge ? undefined : previous;
      },
      accepts: (reading) => this.#choicesOf(meter).accepts(instanceId, reading),
    };
  }

  /** Forgets all other instances. */
  keepOnly(instances: ReadonlySet<string>): void {
    for (const sources of this.#counters.values()) {
      for (const ofSource of sources.values()) {
        for (const id of ofSource.keys()) if (!instances.has(id)) ofSource.delete(id);
      }
    }
    for (const choices of this.#choices.values()) choices.keepOnly(instances);
  }

  /** Has what is known now kept for the next run. */
  save(): void {
    this.#state.save(() => packCounters(this.#counters, this.#boot));
  }

  #parts(meter: string, source: string, instanceId: string): Map<string, Counter> {
    return inner(inner(inner(this.#counters, meter), source), instanceId);
  }

  #choicesOf(meter: string): CounterChoices {
    let choices = this.#choices.get(meter);
    if (choices === undefined) {
      choices = new CounterChoices();
      this.#choices.set(meter, choices);
    }
    return choices;
  }

  async #takeOver(): Promise<void> {
    this.#boot = await this.#bootId();
    for (const { meter, source, instance, part, counter } of unpackCounters(await this.#state.load(), this.#boot)) {
      this.#inherited.add(counter);
      this.#parts(meter, source, instance).set(part, counter);
    }
  }
}

function inner<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let found = map.get(key);
  if (found === undefined) {
    found = new Map();
    map.set(key, found);
  }
  return found;
}
