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

type KeptCounters = v.InferOutput<typeof kept>;
type InstanceRow = v.InferOutput<typeof instanceRow>;

/** The same, with the many instances as they are when they are asked for. */
export type PackedCounters = Omit<KeptCounters, 'meters'> & {
  readonly meters: readonly (readonly [meter: string, readonly (readonly [source: string, Iterable<InstanceRow>])[]])[];
};

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
export function packCounters(counters: Counters, boot: string | undefined): PackedCounters | null {
  if (boot === undefined) return null;
  return {
    version: 1,
    boot,
    savedAt: Date.now(),
    meters: Array.from(counters, ([meter, sources]) => [
      meter,
      Array.from(sources, ([source, instances]) => [source, instanceRows(instances)]),
    ]),
  };
}

/** Polling goes on meanwhile: a counter that changes is told as it is when its turn comes, each with its own time. */
function* instanceRows(instances: ReadonlyMap<string, ReadonlyMap<string, Counter>>): Generator<InstanceRow> {
  for (const [instance, parts] of instances) {
    yield [instance, Array.from(parts, ([part, { value, at, life }]) => [part, `${value}`, at, life])];
  }
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
