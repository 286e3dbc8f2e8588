/** Counters as JSON, for the next run of the agent: bigints as decimal text. */
import * as v from 'valibot';
import { monotonicSeconds } from '../../sample.ts';
import type { Counter, Counters } from './counter-memory.ts';

/** Part, value, seconds on the monotonic clock, life. */
const counterRow = v.tuple([v.string(), v.pipe(v.string(), v.regex(/^\d{1,30}$/)), v.number(), v.string()]);
const instanceRow = v.tuple([v.string(), v.array(counterRow)]);
const sourceRow = v.tuple([v.string(), v.array(instanceRow)]);
const kept = v.object({
  version: v.literal(1),
  boot: v.string(),
  /** Milliseconds since the epoch. */
  savedAt: v.number(),
  meters: v.array(v.tuple([v.string(), v.array(sourceRow)])),
});

export type KeptCounters = v.InferOutput<typeof kept>;

export interface UnpackedCounter {
  readonly meter: string;
  readonly source: string;
  readonly instance: string;
  readonly part: string;
  readonly counter: Counter;
}

/** Seconds after which nothing that was kept is looked at any more: its source may be gone for good. */
const AGE_MAX = 7 * 24 * 3600;

/** Counters of a machine whose starts cannot be told apart are no good later. */
export function packCounters(counters: Counters, boot: string | undefined): KeptCounters | null {
  if (boot === undefined) return null;
  return {
    version: 1,
    boot,
    savedAt: Date.now(),
    meters: rows(counters, (sources) =>
      rows(sources, (instances) =>
        rows(instances, (parts) => Array.from(parts, ([part, { value, at, life }]) => [part, `${value}`, at, life])),
      ),
    ),
  };
}

function rows<V, R>(map: ReadonlyMap<string, V>, pack: (value: V) => R): [string, R][] {
  return Array.from(map, ([key, value]) => [key, pack(value)]);
}

/**
 * What is still good of what was kept. Once the machine was started anew, every counter has another life, and the clock
 * that dates them begins at zero.
 */
export function unpackCounters(value: unknown, boot: string | undefined): readonly UnpackedCounter[] {
  const parsed = v.safeParse(kept, value);
  if (!parsed.success || boot === undefined) return [];
  const { output: data } = parsed;
  if (Date.now() - data.savedAt > AGE_MAX * 1000) return [];
  const sameBoot = data.boot === boot;
  const oldest = sameBoot ? monotonicSeconds() - AGE_MAX : Number.NEGATIVE_INFINITY;
  return data.meters.flatMap(([meter, sources]) =>
    sources.flatMap(([source, instances]) =>
      instances.flatMap(([instance, parts]) =>
        parts.flatMap(([part, digits, at, life]) => {
          if (at < oldest) return [];
          const dated = sameBoot ? { at, life } : { at: 0, life: `before ${boot}` };
          return [{ meter, source, instance, part, counter: { value: BigInt(digits), ...dated } }];
        }),
      ),
    ),
  );
}
