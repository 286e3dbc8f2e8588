import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SampleRecord } from '../../src/collector/record.ts';
import { openPostgresql } from '../../src/collector/store/postgresql.ts';
import { createSqlStore } from '../../src/collector/store/sql-store.ts';
import { openSqlite } from '../../src/collector/store/sqlite.ts';
import type { SampleFilter, StatisticsRequest, Store } from '../../src/collector/store/store.ts';
import { type Postgresql, startPostgresql } from '../helpers/postgresql.ts';
import { describeWith } from '../helpers/services.ts';
import { DAY, HOUR, NOON, record, SECOND } from './samples.ts';

const all: SampleFilter = { start: undefined, end: undefined };
const first = (limit: number) => ({ limit, after: undefined });

describe('SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  let files = 0;
  let file = '';
  afterAll(() => rmSync(folder, { recursive: true }));

  behaves({
    create() {
      files += 1;
      file = join(folder, `${files}.db`);
      return Promise.resolve((now) => createSqlStore(openSqlite(file), now));
    },
  });
});

describeWith('postgresql', 'PostgreSQL', () => {
  let server: Postgresql | undefined;
  beforeAll(async () => {
    server = await startPostgresql();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  behaves({
    async create() {
      const url = (await server?.database()) ?? '';
      return (now) => createSqlStore(openPostgresql(url), now);
    },
  });
});

describeWith('postgresql', 'several collectors on one PostgreSQL', () => {
  it('store each sample once, and count all of them', async () => {
    await using server = await startPostgresql();
    const url = await server.database();
    const stores = Array.from({ length: 3 }, () => createSqlStore(openPostgresql(url), () => NOON / 1000));
    const batches = Array.from({ length: 10 }, (_, batch) =>
      Array.from({ length: 40 }, (_, index) => record({ time: NOON + batch * 10 * SECOND, resourceId: `r${index}` })),
    );

    // Each gets everything, in another order.
    const written = await Promise.all(
      stores.flatMap((store, shift) =>
        batches.map((_, index) => store.write(batches[(index + shift * 3) % batches.length] ?? [], [])),
      ),
    );

    expect(written.reduce((sum, { stored }) => sum + stored, 0)).toBe(400);
    expect(await stores[0]?.status(NOON)).toMatchObject({ samples: 400, series: 40, resources: 40, meters: 1 });
    await Promise.all(stores.map((store) => store.close()));
  });
});

interface Subject {
  /** An empty store each time, as a function that opens it. */
  create(): Promise<(now: () => number) => Store>;
}

/** What every store has to do. */
function behaves({ create }: Subject): void {
  let open: (now: () => number) => Store;
  let store: Store;
  let now = NOON;
  const clock = () => now / 1000;

  beforeEach(async () => {
    now = NOON;
    open = await create();
    store = open(clock);
  });
  afterEach(() => store.close());

  const write = (...records: readonly SampleRecord[]) => store.write(records, []);

  /** All samples, page by page. */
  async function read(filter: SampleFilter = all, limit = 1000, ascending = true): Promise<SampleRecord[]> {
    const rows: SampleRecord[] = [];
    let after: readonly (string | number)[] | undefined;
    do {
      const page = await store.samples(filter, { limit, after }, ascending);
      rows.push(...page.rows);
      after = page.next;
      expect(page.rows.length).toBeLessThanOrEqual(limit);
    } while (after !== undefined);
    return rows;
  }

  async function statistics(request: Partial<StatisticsRequest> = {}, limit = 1000) {
    const full = { ...all, meter: 'cpu', period: undefined, group: undefined, ...request };
    return (await store.statistics(full, first(limit))).rows;
  }

  it('gives back what was written, every field of it', async () => {
    const samples = [
      record({ time: NOON, volume: 2n ** 63n - 1n }),
      record({ time: NOON + 1, volume: 1.5, unit: 'é', type: 'gauge', meter: 'x' }),
      record({ time: NOON + 2, projectId: null, userId: null, projectName: 'pn', userName: 'un', id: 'no uuid' }),
      record({
        time: NOON + 3,
        metadata: '{"a": [1, 2.0, null, "\\u00e9\\u0000"], "10": {}}',
        resourceId: "o'b\\r\n☃",
      }),
    ];

    const written = await write(...samples);

    expect(written).toEqual({ stored: 4, duplicates: 0 });
    expect(await read()).toEqual(samples);
  });

  it.each([
    0n,
    -1n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 64n - 1n,
    -(10n ** 30n),
    0,
    1,
    -1.5,
    1e300,
    5e-324,
    0.1,
    2 ** 53 + 2,
  ])('keeps %s as it is, and whether it is an integer', async (volume) => {
    await write(record({ volume }));

    const [sample] = await read();

    expect(sample?.volume).toBe(volume);
  });

  it('drops ids that it has, within a batch, across batches, with another time, and after it was opened anew', async () => {
    const a = record();
    const [b, c] = [record({ id: a.id, time: NOON + HOUR }), record({ id: 'text id' })];

    expect(await write(a, a, b)).toEqual({ stored: 1, duplicates: 2 });
    expect(await write(a, c)).toEqual({ stored: 1, duplicates: 1 });
    await store.close();
    store = open(clock);
    expect(await write(a, b, c)).toEqual({ stored: 0, duplicates: 3 });
    now += DAY;
    expect(await write(b, c)).toEqual({ stored: 0, duplicates: 2 });
    expect(await read()).toEqual([a, c].sort((x, y) => x.time - y.time));
  });

  it('drops the very same sample also after its id is forgotten', async () => {
    const a = record();
    await write(a);
    now += 5 * DAY;
    await store.expire({ before: undefined, maxBytes: undefined, now });

    expect(await write(a)).toEqual({ stored: 0, duplicates: 1 });
    expect((await store.status(now)).samples).toBe(1);
  });

  it('finds samples by time, meter, resource, project, user and source', async () => {
    const a = record({ time: NOON - DAY });
    const b = record({ resourceId: 'r2', projectId: 'p2' });
    const c = record({ meter: 'memory', time: NOON + 1 });
    const d = record({ userId: 'u2', source: 'other', time: NOON + 40 * 60 * SECOND });
    await write(d, b, a, c);

    expect(await read()).toEqual([a, b, c, d]);
    expect(await read(all, 1000, false)).toEqual([d, c, b, a]);
    expect(await read({ start: NOON, end: NOON + 1 })).toEqual([b]);
    expect(await read({ ...all, meter: 'memory' })).toEqual([c]);
    expect(await read({ ...all, resource: 'r2' })).toEqual([b]);
    expect(await read({ ...all, project: 'p2' })).toEqual([b]);
    expect(await read({ ...all, user: 'u2', meter: 'cpu' })).toEqual([d]);
    expect(await read({ ...all, source: 'other' })).toEqual([d]);
    expect(await read({ ...all, resource: 'r3' })).toEqual([]);
  });

  it('pages through samples of the same moment and of many days without missing or repeating any', async () => {
    const samples = Array.from({ length: 60 }, (_, index) =>
      record({ time: NOON + (index % 4) * DAY + (index % 3) * 7 * SECOND, resourceId: `r${index % 5}` }),
    );
    await write(...samples);
    const ids = (rows: readonly SampleRecord[]) => rows.map(({ id }) => id);

    const up = await read(all, 7);
    const down = await read(all, 7, false);

    expect(ids(up)).toEqual(ids(await read()));
    expect(new Set(ids(up)).size).toBe(60);
    expect(ids(down)).toEqual(ids(up).reverse());
  });

  it('lists meters with their resources, samples and times, page by page', async () => {
    await write(
      record({ time: NOON - HOUR }),
      record(),
      record({ resourceId: 'r2', projectId: 'p2' }),
      record({ meter: 'memory', type: 'gauge', unit: 'MB' }),
      record({ meter: 'memory', type: 'gauge', unit: 'GB' }),
    );

    const page = await store.meters({}, first(2), now);
    const rest = await store.meters({}, { limit: 2, after: page.next }, now);

    expect(
      [...page.rows, ...rest.rows].map(({ name, unit, resources, samples }) => [name, unit, resources, samples]),
    ).toEqual([
      ['cpu', 'ns', 2, 3],
      ['memory', 'MB', 1, 1],
      ['memory', 'GB', 1, 1],
    ]);
    expect(page.rows[0]).toMatchObject({ type: 'cumulative', first: NOON - HOUR, last: NOON });
    expect(rest.next).toBeUndefined();
    const names = async (filter: object) => (await store.meters(filter, first(9), now)).rows.map(({ name }) => name);
    expect(await names({ search: 'MEM' })).toEqual(['memory', 'memory']);
    expect(await names({ search: '%' })).toEqual([]);
    expect(await names({ resource: 'r2' })).toEqual(['cpu']);
    expect(await names({ project: 'p2' })).toEqual(['cpu']);
  });

  it('knows resources with their latest metadata and its history', async () => {
    const at = (minutes: number, metadata: string, meter = 'cpu') =>
      record({ time: NOON + minutes * 60 * SECOND, metadata, meter });
    const [one, two] = ['{"flavor": "small"}', '{"flavor": "big"}'];
    await write(at(0, one), at(0, one, 'memory'), at(5, one));
    await write(at(10, two), at(10, two, 'memory'));
    await write(at(15, one), at(7, two));
    await write(record({ resourceId: 'r2', projectId: null, meter: 'memory' }));

    const detail = await store.resource('r1', now);
    const page = await store.resources({}, first(1));

    expect(page.rows).toMatchObject([
      { resourceId: 'r1', projectId: 'p1', userId: 'u1', source: 'openstack', metadata: one },
    ]);
    expect(page.rows[0]?.meters).toEqual(['cpu', 'memory']);
    expect(detail?.history.map(({ since, metadata, meters }) => [since - NOON, metadata, meters])).toEqual([
      [0, one, ['cpu', 'memory']],
      [10 * 60 * SECOND, two, ['cpu', 'memory']],
      [15 * 60 * SECOND, one, ['cpu']],
    ]);
    expect(detail?.meters.map(({ name, samples }) => [name, samples])).toEqual([
      ['cpu', 5],
      ['memory', 2],
    ]);
    const ids = async (filter: object, after?: readonly string[]) =>
      (await store.resources(filter, { limit: 9, after })).rows.map(({ resourceId }) => resourceId);
    expect(await ids({}, page.next as readonly string[])).toEqual(['r2']);
    expect(await ids({ search: 'SMALL' })).toEqual(['r1']);
    expect(await ids({ search: 'r' })).toEqual(['r1', 'r2']);
    expect(await ids({ meter: 'cpu' })).toEqual(['r1']);
    expect(await ids({ project: 'p1' })).toEqual(['r1']);
    expect(await store.resource('r3', now)).toBeUndefined();
  });

  it('says the metadata that each sample had, also of late ones', async () => {
    const late = record({ time: NOON - HOUR, metadata: '{"v": 0}' });
    await write(record({ metadata: '{"v": 1}' }));
    await write(late);

    expect((await read()).map(({ metadata }) => metadata)).toEqual(['{"v": 0}', '{"v": 1}']);
    expect((await store.resources({}, first(1))).rows[0]?.metadata).toBe('{"v": 1}');
  });

  it('computes statistics exactly, over all, by period and by group', async () => {
    const volumes = [2n ** 62n, 2n ** 62n, 2n ** 62n + 6n];
    await write(
      ...volumes.map((volume, index) => record({ volume, time: NOON + index * HOUR, meter: 'g', type: 'gauge' })),
      record({ volume: 0n, time: NOON + HOUR, meter: 'g', type: 'gauge', resourceId: 'r2', projectId: 'p2' }),
    );

    const [total] = await statistics({ meter: 'g' });
    const hourly = await statistics({ meter: 'g', period: 2 * HOUR, start: NOON });
    const byResource = await statistics({ meter: 'g', group: 'resource' });
    const byProject = await statistics({ meter: 'g', group: 'project', project: 'p2' });

    expect(total).toMatchObject({
      count: 4,
      min: 0n,
      max: 2n ** 62n + 6n,
      sum: 3n * 2n ** 62n + 6n,
      rate: null,
      resets: 0,
    });
    expect(total?.avg).toBeCloseTo((3 * 2 ** 62 + 6) / 4, -3);
    expect(hourly.map(({ start, end, count }) => [start - NOON, end - NOON, count])).toEqual([
      [0, 2 * HOUR, 3],
      [2 * HOUR, 4 * HOUR, 1],
    ]);
    expect(byResource.map(({ resourceId, count }) => [resourceId, count])).toEqual([
      ['r1', 3],
      ['r2', 1],
    ]);
    expect(byProject).toMatchObject([{ projectId: 'p2', count: 1, min: 0n }]);
    expect(await statistics({ meter: 'none' })).toEqual([]);
  });

  it('tells the rate of cumulative meters, resets recognised, summed over resources', async () => {
    const counter = (seconds: number, volume: bigint, resourceId = 'r1') =>
      record({ time: NOON + seconds * SECOND, volume, resourceId });
    const big = 2n ** 60n;
    await write(counter(0, big), counter(10, big + 100n), counter(20, 30n), counter(30, 80n));
    await write(counter(5, 0n, 'r2'), counter(15, 10n, 'r2'));

    const [total] = await statistics();
    const periods = await statistics({ period: 10 * SECOND, resource: 'r1' });

    // (100 + 30 + 50) / 30 s, and 10 / 10 s
    expect(total?.rate).toBeCloseTo(7, 9);
    expect(total?.resets).toBe(1);
    expect(periods.map(({ rate, resets }) => [rate, resets])).toEqual([
      [null, 0],
      [10, 0],
      [3, 1],
      [5, 0],
    ]);
    expect(await statistics({ period: 10 * SECOND }, 2)).toHaveLength(2);
  });

  it('notices gaps and who is late, and forgets what is gone for good', async () => {
    const times = [0, 3, 13, 23, 33, 73, 83];
    await write(...times.map((seconds) => record({ time: NOON + seconds * SECOND })));
    const at = (seconds: number) => store.status(NOON + seconds * SECOND);

    const soon = await at(95);
    const later = await at(200);
    const gone = await at(3 * 86_400);

    expect(soon).toMatchObject({ lateTotal: 0, gapsTotal: 1, series: 1, samples: 7 });
    expect(soon.gaps).toMatchObject([
      {
        meter: 'cpu',
        resourceId: 'r1',
        gaps: 1,
        start: NOON + 33 * SECOND,
        end: NOON + 73 * SECOND,
        interval: 10 * SECOND,
      },
    ]);
    expect(later.late).toEqual([{ meter: 'cpu', resourceId: 'r1', last: NOON + 83 * SECOND, interval: 10 * SECOND }]);
    expect((await store.meters({}, first(1), NOON + 200 * SECOND)).rows[0]?.late).toBe(1);
    expect((await store.resource('r1', NOON + 200 * SECOND))?.meters[0]).toMatchObject({ late: true, gaps: 1 });
    expect(gone.lateTotal).toBe(0);
  });

  it('remembers who sent how much, and since when', async () => {
    const arrival = (seconds: number) => ({ agent: 'a', source: 's', at: NOON + seconds * SECOND, samples: 10 });
    await store.write([], [arrival(0), arrival(0.1)]);
    await store.write([], [arrival(60), arrival(120), arrival(120.5)]);

    const { agents } = await store.status(NOON + 130 * SECOND);
    const later = await store.status(NOON + 400 * SECOND);

    expect(agents).toMatchObject([
      { agent: 'a', source: 's', first: NOON, last: NOON + 120.5 * SECOND, samples: 50, late: false },
    ]);
    expect(agents[0]?.interval).toBeCloseTo(60 * SECOND, -6);
    expect(later.agents[0]?.late).toBe(true);
  });

  it('removes what is too old, and nothing else', async () => {
    const old = [0, 1, 30].map((hours) => record({ time: NOON - 4 * DAY + hours * HOUR, metadata: '{"old": 1}' }));
    const young = [record({ time: NOON - HOUR }), record({ resourceId: 'r2' })];
    const gone = record({ time: NOON - 4 * DAY, resourceId: 'gone', meter: 'gone' });
    await write(...old, ...young, gone);
    const before = NOON - 4 * DAY + 30 * HOUR;

    const removed = await store.expire({ before, maxBytes: undefined, now });

    expect(removed).toBe(3);
    expect(await read()).toEqual([old[2], ...young]);
    expect(await store.status(now)).toMatchObject({ samples: 3, series: 2, meters: 1 });
    expect(await store.resource('gone', now)).toBeUndefined();
  });

  it('goes on with what it shared after that was removed', async () => {
    await write(record({ time: NOON }));
    now += 30 * DAY;
    await store.expire({ before: now, maxBytes: undefined, now });
    const again = record({ time: now });

    await write(again);

    expect(await read()).toEqual([again]);
    expect((await store.resource('r1', now))?.history).toMatchObject([{ since: now, metadata: again.metadata }]);
  });

  it('removes the oldest when there is too much', async () => {
    const filler = 'x'.repeat(2000);
    for (let day = 0; day < 4; day++) {
      await write(
        ...Array.from({ length: 500 }, (_, index) =>
          record({ time: NOON + day * DAY + index * SECOND, metadata: `{"${day} ${index}": "${filler}"}` }),
        ),
      );
      now += DAY;
    }
    const { bytes } = await store.status(now);

    const removed = await store.expire({ before: undefined, maxBytes: bytes - 10_000, now });

    expect(removed).toBeGreaterThanOrEqual(1);
    expect(removed).toBeLessThan(2000);
    expect((await store.status(now)).bytes).toBeLessThanOrEqual(bytes - 10_000);
    const left = await read();
    expect(left).toHaveLength(2000 - removed);
    expect(left.at(-1)?.time).toBe(NOON + 3 * DAY + 499 * SECOND);
  });

  it('writes and answers side by side', async () => {
    const batches = Array.from({ length: 10 }, (_, batch) =>
      Array.from({ length: 50 }, (_, index) => record({ time: NOON + batch * HOUR + index, resourceId: `r${index}` })),
    );

    const results = await Promise.all(
      batches.flatMap((batch) => [
        store.write(batch, []).then(({ stored }) => stored),
        store.samples(all, first(5), false).then(() => 0),
        store.status(now).then(() => 0),
      ]),
    );

    expect(results.reduce((sum, stored) => sum + stored, 0)).toBe(500);
    expect(await read()).toHaveLength(500);
  });
}
