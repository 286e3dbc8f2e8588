/** What the runs of one cycle have in common. */
import type { PollingSource } from '../config/polling.ts';

/** What a run is going to do. */
export interface PlannedRun {
  readonly source: PollingSource;
  /** The listings that it reads page by page. */
  readonly listings: readonly string[];
  /** What it reads besides with others of its source, see `Pollster.together`. */
  readonly together: string | undefined;
}

export interface CyclePlan {
  /** How often a listing is read. */
  pageReaders(listing: string): number;
  /** How many runs of its source read together with this one, itself included. */
  readers(planned: Pick<PlannedRun, 'source' | 'together'>): number;
  /**
   * The runs in parts, in their order. Those of one part read the same bit by bit: none of them may wait for the end of
   * another one. Parts do not depend on each other.
   */
  parts<R>(runs: readonly R[], plannedOf: (run: R) => PlannedRun | undefined): readonly (readonly R[])[];
}

interface Part<R> {
  readonly keys: Set<string>;
  readonly runs: R[];
}

export function planCycle(all: readonly PlannedRun[]): CyclePlan {
  const counts = new Map<string, number>();
  for (const planned of all) for (const key of keysOf(planned)) counts.set(key, (counts.get(key) ?? 0) + 1);

  return {
    pageReaders: (listing) => counts.get(listing) ?? 0,
    readers: ({ source, together }) => (together === undefined ? 1 : (counts.get(togetherKey(source, together)) ?? 0)),
    parts<R>(runs: readonly R[], plannedOf: (run: R) => PlannedRun | undefined) {
      const parts: Part<R>[] = [];
      for (const run of runs) {
        const keys = keysOf(plannedOf(run));
        const [first, ...others] = parts.filter((part) => keys.some((key) => part.keys.has(key)));
        const part = first ?? { keys: new Set(), runs: [] };
        if (first === undefined) parts.push(part);
        for (const other of others) {
          parts.splice(parts.indexOf(other), 1);
          part.runs.push(...other.runs);
          for (const key of other.keys) part.keys.add(key);
        }
        part.runs.push(run);
        for (const key of keys) part.keys.add(key);
      }
      return parts.map(({ runs }) => runs);
    },
  };
}

function keysOf(planned: PlannedRun | undefined): readonly string[] {
  if (planned === undefined) return [];
  const { listings, source, together } = planned;
  return together === undefined ? listings : [...listings, togetherKey(source, together)];
}

function togetherKey(source: PollingSource, together: string): string {
  return `together ${source.name} ${together}`;
}
