import { describe, expect, it } from 'vitest';
import type { StatisticsPage } from '../../../src/collector/api/schema.ts';
import { choiceOf, viewHref } from '../../../src/collector/page/browser/route.ts';
import { lineOf, windowOf } from '../../../src/collector/page/browser/series.ts';
import { ago, isoOf, millisOf, span } from '../../../src/collector/page/browser/time.ts';
import { charted, text, tick } from '../../../src/collector/page/browser/volume.ts';

type Row = StatisticsPage['statistics'][number];

const NOON = Date.UTC(2026, 10, 24, 12) / 1000;
const gauge = { type: 'gauge', unit: 'MB' } as const;
const counter = { type: 'cumulative', unit: 'B' } as const;

function row(first: number, parts: Partial<Row> = {}, last = first): Row {
  return {
    resource_id: null,
    project_id: null,
    unit: 'MB',
    period: 5,
    period_start: isoOf(NOON + first),
    period_end: isoOf(NOON + first + 5),
    count: 1,
    min: 1,
    max: 1,
    sum: 1,
    avg: 1,
    first_sample: isoOf(NOON + first),
    last_sample: isoOf(NOON + last),
    rate: null,
    resets: 0,
    ...parts,
  };
}

describe('the window of a chart', () => {
  it('has room for each sample of a short range, and few periods in a long one', () => {
    expect(windowOf(900, NOON, 10)).toEqual({ start: NOON - 900, end: NOON, period: 5 });
    expect(windowOf(86_400, NOON, 10)).toMatchObject({ period: 300 });
    expect(windowOf(86_400 * 365 * 20, NOON, 10).period % 86_400).toBe(0);
    expect(windowOf(900, NOON, null).period).toBe(5);
  });

  it('stays on its grid while time goes on', () => {
    const starts = [0, 0.5, 4.9].map((later) => windowOf(900, NOON + later, 10).start);

    expect(new Set(starts).size).toBe(1);
    expect(windowOf(900, NOON + 5, 10).start).toBe(NOON - 895);
  });
});

describe('the line of a chart', () => {
  it('breaks where samples were missed, and says from when to when', () => {
    const rows = [row(0, { avg: 1 }), row(10, { avg: 2 }), row(50, { avg: 3 }), row(60, { avg: 4 })];

    const line = lineOf(rows, { ...gauge, interval: 10, now: NOON + 65 });

    expect(line.y).toEqual([1, 2, null, 3, 4]);
    expect(line.x.map((x) => x - NOON)).toEqual([0, 10, 30, 50, 60]);
    expect(line.gaps).toEqual([{ from: NOON + 10, to: NOON + 50 }]);
    expect(line.late).toBe(false);
  });

  it('sees no gap between samples that come a little late, nor where the rhythm is not known', () => {
    const rows = [row(0), row(15)];

    expect(lineOf(rows, { ...gauge, interval: 10, now: NOON + 20 }).gaps).toEqual([]);
    expect(lineOf([row(0), row(500)], { ...gauge, interval: null, now: NOON + 5000 })).toMatchObject({
      gaps: [],
      late: false,
    });
  });

  it('is late as the collector counts it, and the gap goes on until now', () => {
    const at = (now: number) => lineOf([row(0)], { ...gauge, interval: 10, now: NOON + now });

    expect(at(25).late).toBe(false);
    expect(at(26)).toMatchObject({ late: true, gaps: [{ from: NOON, to: NOON + 26 }] });
  });

  it('has the rate of a cumulative meter, and none for its first sample', () => {
    const rows = [row(0), row(10, { rate: 100 }), row(20, { rate: 50, resets: 1 })];

    const line = lineOf(rows, { ...counter, interval: 10, now: NOON + 20 });

    expect(line.y).toEqual([null, 100, 50]);
    expect(line.last).toEqual({ at: NOON + 20, value: 50 });
    expect(line.resets).toBe(1);
    expect(line.summary).toEqual({ lowest: 50, mean: 75, highest: 100 });
  });

  it('has the lowest and the highest of periods with several samples, and weighs their means', () => {
    const rows = [row(0, { count: 3, min: 1, avg: 4, max: 9 }, 20), row(30, { avg: 8 })];

    const line = lineOf(rows, { ...gauge, interval: 10, now: NOON + 30 });

    expect(line).toMatchObject({ low: [1, 8], high: [9, 8], y: [4, 8] });
    expect(line.x[0]).toBe(NOON + 10);
    expect(line.summary).toEqual({ lowest: 1, mean: 5, highest: 9 });
  });

  it('has no summary without values', () => {
    expect(lineOf([], { ...gauge, interval: 10, now: NOON })).toMatchObject({ summary: undefined, late: false });
    expect(lineOf([row(0)], { ...counter, interval: 10, now: NOON }).summary).toBeUndefined();
  });
});

describe('values on the page', () => {
  it.each([
    [3 * 1024 * 1024, counter, '3.0 MiB/s', '3 MiB/s'],
    [500_000_000, { type: 'cumulative', unit: 'ns' }, '50.0 %', '50 %'],
    [0, { type: 'cumulative', unit: 'packet' }, '0 packet/s', '0'],
    [2048, gauge, '2.0 GiB', '2 GiB'],
    [446_881, { type: 'gauge', unit: 'tick' }, '446,881 tick', '446.9K'],
    [12.25, { type: 'gauge', unit: '%' }, '12.3 %', '12.3 %'],
  ] as const)('%d of %o is %s, and %s on an axis', (value, kind, shown, onAxis) => {
    expect(text(charted(value, kind))).toBe(shown);
    expect(tick(value, kind)).toBe(onAxis);
  });

  it.each([
    [0.4, '0.4 s'],
    [10, '10 s'],
    [300, '5 min'],
    [246, '4 min 6 s'],
    [3900, '1 h 5 min'],
    [86_400 * 30, '30 d'],
    [86_400 * 3 + 3600 * 4, '3 d 4 h'],
  ])('a span of %d s is %s', (seconds, shown) => {
    expect(span(seconds)).toBe(shown);
  });

  it.each([
    [-5, 'now'],
    [1, 'now'],
    [4.9, '4 s ago'],
    [200, '3 min ago'],
    [86_400 * 2, '2 d ago'],
  ])('%d s ago is said as %s', (seconds, shown) => {
    expect(ago(NOON * 1000, (NOON + seconds) * 1000)).toBe(shown);
  });

  it('reads the times of the API, with microseconds or without', () => {
    expect(millisOf('2026-11-24T12:00:00')).toBe(NOON * 1000);
    expect(millisOf('2026-11-24T12:00:00.250999')).toBe(NOON * 1000 + 250);
  });
});

it('keeps any name in the address', () => {
  const choice = { kind: 'resource', name: 'a/b #%?ä' } as const;

  expect(choiceOf(viewHref(choice))).toEqual(choice);
  expect([choiceOf(''), choiceOf('#/else/x'), choiceOf('#/meter/%')]).toEqual([undefined, undefined, undefined]);
});
