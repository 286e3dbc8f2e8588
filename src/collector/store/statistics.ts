/** Statistics from samples in the order of time, of each resource at least. Integers stay exact. */
import type { SampleType } from '../../sample.ts';
import type { StatisticsRequest, StatisticsRow } from './store.ts';

/** What is measured, and of what. */
interface SeriesKind {
  readonly meter: number;
  readonly type: SampleType;
  readonly unit: string;
  readonly resourceId: string;
  readonly projectId: string | null;
}

export interface SeriesSums {
  /** In the order of time. */
  add(time: number, volume: number | bigint): void;
}

interface Growth {
  total: number;
  microseconds: number;
}

interface Sums {
  readonly resourceId: string | null;
  readonly projectId: string | null;
  readonly unit: string;
  readonly period: number;
  count: number;
  min: number | bigint;
  max: number | bigint;
  integers: bigint;
  floats: number;
  anyFloat: boolean;
  first: number;
  last: number;
  resets: number;
  readonly growth: Map<string, Growth>;
}

export interface Aggregation {
  series(kind: SeriesKind): SeriesSums;
  /** By period and group. */
  rows(): readonly StatisticsRow[];
}

/** `origin` is where periods begin; without a period there is one, of the whole span of the request. */
export function aggregation({ period, group, start, end }: StatisticsRequest): Aggregation {
  const origin = start ?? 0;
  const all = new Map<string, Sums>();
  /** Samples of one meter and resource, whoever owned that at the time. */
  const latest = new Map<string, { reading: Reading | undefined }>();

  function sumsOf({ meter, unit, ...kind }: SeriesKind, index: number, { time, volume }: Reading): Sums {
    const resourceId = group === 'resource' ? kind.resourceId : null;
    const projectId = group === 'project' ? kind.projectId : null;
    const key = `${index} ${meter} ${resourceId ?? ''} ${projectId ?? ''}`;
    let sums = all.get(key);
    if (sums === undefined) {
      sums = {
        resourceId,
        projectId,
        unit,
        period: index,
        count: 0,
        min: volume,
        max: volume,
        integers: 0n,
        floats: 0,
        anyFloat: false,
        first: time,
        last: time,
        resets: 0,
        growth: new Map(),
      };
      all.set(key, sums);
    }
    return sums;
  }

  return {
    series(kind) {
      const series = `${kind.meter} ${kind.resourceId}`;
      const before = latest.get(series) ?? { reading: undefined };
      latest.set(series, before);
      let sums: Sums | undefined;
      return {
        add(time, volume) {
          const index = period === undefined ? 0 : Math.floor((time - origin) / period);
          const reading = { time, volume };
          if (sums?.period !== index) sums = sumsOf(kind, index, reading);
          count(sums, time, volume);
          if (kind.type !== 'cumulative') return;
          const { reading: last } = before;
          before.reading = reading;
          if (last !== undefined && time > last.time) grow(sums, series, last, reading);
        },
      };
    },
    rows() {
      const sorted = [...all.values()].sort(
        (a, b) =>
          a.period - b.period ||
          compare(a.unit, b.unit) ||
          compare(a.resourceId ?? '', b.resourceId ?? '') ||
          compare(a.projectId ?? '', b.projectId ?? ''),
      );
      return sorted.map((sums) => rowOf(sums));
    },
  };

  function rowOf(sums: Sums): StatisticsRow {
    const { resourceId, projectId, unit, count: number, min, max, first, last, resets, growth } = sums;
    const sum = sums.anyFloat ? sums.floats + Number(sums.integers) : sums.integers;
    const bounds =
      period === undefined
        ? { start: start ?? first, end: end ?? last }
        : { start: origin + sums.period * period, end: origin + (sums.period + 1) * period };
    return {
      resourceId,
      projectId,
      unit,
      ...bounds,
      count: number,
      min,
      max,
      sum,
      avg: average(sum, number),
      first,
      last,
      rate: rateOf(growth),
      resets,
    };
  }
}

function count(sums: Sums, time: number, volume: number | bigint): void {
  sums.count += 1;
  if (volume < sums.min) sums.min = volume;
  if (volume > sums.max) sums.max = volume;
  if (typeof volume === 'bigint') sums.integers += volume;
  else {
    sums.floats += volume;
    sums.anyFloat = true;
  }
  if (time < sums.first) sums.first = time;
  if (time > sums.last) sums.last = time;
}

interface Reading {
  readonly time: number;
  readonly volume: number | bigint;
}

function grow(sums: Sums, series: string, before: Reading, after: Reading): void {
  const reset = after.volume < before.volume;
  if (reset) sums.resets += 1;
  const growth = sums.growth.get(series) ?? { total: 0, microseconds: 0 };
  growth.total += reset ? Number(after.volume) : difference(after.volume, before.volume);
  growth.microseconds += after.time - before.time;
  sums.growth.set(series, growth);
}

/** Exact before it is rounded, once. */
function difference(a: number | bigint, b: number | bigint): number {
  return typeof a === 'bigint' && typeof b === 'bigint' ? Number(a - b) : Number(a) - Number(b);
}

function rateOf(growth: ReadonlyMap<string, Growth>): number | null {
  if (growth.size === 0) return null;
  let rate = 0;
  for (const { total, microseconds } of growth.values()) rate += (total / microseconds) * 1e6;
  return rate;
}

function average(sum: number | bigint, number: number): number {
  if (typeof sum === 'number') return sum / number;
  const whole = sum / BigInt(number);
  return Number(whole) + Number(sum - whole * BigInt(number)) / number;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
