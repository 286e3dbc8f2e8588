/** From statistics of the API to the lines of a chart. Pure: no element is touched here. */
import type { StatisticsPage } from '../../api/schema.ts';
import { millisOf } from './time.ts';
import { isRate, type Kind } from './volume.ts';

/** What to ask for, in seconds since 1970. */
export interface Window {
  readonly start: number;
  readonly end: number;
  readonly period: number;
}

/** More of them than a chart has pixels would show nothing more. */
const MOST_PERIODS = 400;
/** As the collector counts them: see store/rhythm.ts. */
const MISSES = 1.6;
const LATE_INTERVALS = 2;
const LATE_SLACK = 5;

/**
 * Up to now and on a grid, so that values do not change while time goes on. A period holds at most one sample where
 * there is room for that.
 */
export function windowOf(range: number, now: number, interval: number | null): Window {
  const least = range / MOST_PERIODS;
  const period = interval !== null && interval / 2 >= least ? interval / 2 : niceSeconds(least);
  return { start: Math.floor((now - range) / period) * period, end: now, period };
}

/** Steps of time that look round, in seconds. */
export const NICE_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 432_000,
];

function niceSeconds(seconds: number): number {
  return NICE_SECONDS.find((nice) => nice >= seconds) ?? Math.ceil(seconds / 86_400) * 86_400;
}

interface Gap {
  readonly from: number;
  readonly to: number;
}

export interface Line {
  /** Seconds since 1970. */
  readonly x: readonly number[];
  /** Null breaks the line. */
  readonly y: readonly (number | null)[];
  /** What a period held, where it held more than one sample. */
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
  readonly gaps: readonly Gap[];
  /** Whether the next sample should have come by now. */
  readonly late: boolean;
  readonly last: Point | undefined;
  readonly resets: number;
  readonly summary: Summary | undefined;
}

interface Point {
  readonly at: number;
  readonly value: number;
}

interface Summary {
  readonly lowest: number;
  readonly mean: number;
  readonly highest: number;
}

type Statistics = StatisticsPage['statistics'][number];

export interface LineParts extends Kind {
  readonly interval: number | null;
  /** Seconds since 1970. */
  readonly now: number;
}

export function lineOf(rows: readonly Statistics[], { interval, now, ...kind }: LineParts): Line {
  const rate = isRate(kind);
  const x: number[] = [];
  const y: (number | null)[] = [];
  const low: (number | null)[] = [];
  const high: (number | null)[] = [];
  const gaps: Gap[] = [];
  let before: number | undefined;
  let last: Point | undefined;
  let resets = 0;
  for (const row of rows) {
    const [first, end] = [millisOf(row.first_sample) / 1000, millisOf(row.last_sample) / 1000];
    if (before !== undefined && interval !== null && first - before > interval * MISSES) {
      gaps.push({ from: before, to: first });
      x.push((before + first) / 2);
      for (const values of [y, low, high]) values.push(null);
    }
    const value = rate ? row.rate : row.avg;
    x.push((first + end) / 2);
    y.push(value);
    const band = !rate && row.count > 1;
    low.push(band ? Number(row.min) : value);
    high.push(band ? Number(row.max) : value);
    if (value !== null) last = { at: end, value };
    resets += row.resets;
    before = end;
  }
  const late = before !== undefined && interval !== null && now - before > interval * LATE_INTERVALS + LATE_SLACK;
  if (late && before !== undefined) gaps.push({ from: before, to: now });
  return { x, y, low, high, gaps, late, last, resets, summary: summaryOf(rows, low, high, rate) };
}

/** Means are weighed with what they stand for: the samples, or of rates the time. */
function summaryOf(
  rows: readonly Statistics[],
  low: readonly (number | null)[],
  high: readonly (number | null)[],
  rate: boolean,
): Summary | undefined {
  const lows = low.filter((value) => value !== null);
  if (lows.length === 0) return undefined;
  let [total, weight] = [0, 0];
  let before: number | undefined;
  for (const row of rows) {
    const end = millisOf(row.last_sample) / 1000;
    const value = rate ? row.rate : row.avg;
    const weighs = rate ? end - (before ?? millisOf(row.first_sample) / 1000) : row.count;
    before = end;
    if (value === null) continue;
    // The step that led to the first row is not in it.
    const counts = weighs > 0 ? weighs : Number.EPSILON;
    total += value * counts;
    weight += counts;
  }
  return {
    lowest: least(lows),
    mean: total / weight,
    highest: -least(high.filter((value) => value !== null).map((value) => -value)),
  };
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}
