/** How often something comes, learnt from when it came: what tells gaps and late ones. */

export interface Rhythm {
  /** Microseconds since 1970, all of these. */
  readonly first: number;
  readonly last: number;
  /** Between two, once two steps in a row were alike. */
  readonly interval: number | null;
  /** The latest step. */
  readonly step: number | null;
  readonly gaps: number;
  readonly gapStart: number | null;
  readonly gapEnd: number | null;
}

/** Steps that differ by less than this share of the longer are alike: polls on a grid come a little early or late. */
const ALIKE = 0.25;
/** A step that is longer than this many intervals misses something. */
const MISSES = 1.6;
/** One that is longer away than this many intervals, and this long, is late. */
const LATE_INTERVALS = 2;
const LATE_SLACK = 5_000_000;
/** What was not heard of for so long is no more late but gone, as a deleted instance. */
const GONE = 86_400_000_000;
const GONE_INTERVALS = 10;

export function begun(time: number): Rhythm {
  return { first: time, last: time, interval: null, step: null, gaps: 0, gapStart: null, gapEnd: null };
}

/** One more. What comes after its successors changes nothing but the first time. */
export function beaten(rhythm: Rhythm, time: number): Rhythm {
  if (time <= rhythm.last) return time < rhythm.first ? { ...rhythm, first: time } : rhythm;
  const step = time - rhythm.last;
  const next = { ...rhythm, last: time, step };
  const { interval } = rhythm;
  if (rhythm.step !== null && alike(step, rhythm.step)) return { ...next, interval: step };
  if (interval === null || step <= interval * MISSES) return next;
  return { ...next, gaps: rhythm.gaps + 1, gapStart: rhythm.last, gapEnd: time };
}

function alike(a: number, b: number): boolean {
  return Math.abs(a - b) <= Math.max(a, b) * ALIKE;
}

/** Whether the next one should have come by now. */
export function isLate({ last, interval }: Pick<Rhythm, 'last' | 'interval'>, now: number): boolean {
  if (interval === null) return false;
  const away = now - last;
  return away > interval * LATE_INTERVALS + LATE_SLACK && away < Math.max(GONE, interval * GONE_INTERVALS);
}

/** {@link isLate} in SQL, for columns `last` and `rhythm`. */
export function lateCondition(now: string, table: string): string {
  const away = `(${now} - ${table}.last)`;
  const limit = `CASE WHEN ${table}.rhythm * ${GONE_INTERVALS} > ${GONE} THEN ${table}.rhythm * ${GONE_INTERVALS} ELSE ${GONE} END`;
  return `(${table}.rhythm IS NOT NULL AND ${away} > ${table}.rhythm * ${LATE_INTERVALS} + ${LATE_SLACK} AND ${away} < ${limit})`;
}
