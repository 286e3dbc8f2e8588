import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SampleRecord } from '../../src/collector/record.ts';
import { idBytes } from '../../src/collector/store/message-id.ts';
import { openPostgresql } from '../../src/collector/store/postgresql.ts';
import { openConnections } from '../../src/collector/store/postgresql-connection.ts';
import { versions } from '../../src/collector/store/postgresql-schema.ts';
import { createSqlStore } from '../../src/collector/store/sql-store.ts';
import type { Store } from '../../src/collector/store/store.ts';
import { sharedKey } from '../../src/collector/store/write.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Postgresql, startPostgresql } from '../helpers/postgresql.ts';
import { describeWith } from '../helpers/services.ts';
import { DAY, HOUR, NOON, record, SECOND } from './samples.ts';

describeWith('postgresql', 'samples in PostgreSQL', () => {
  let server: Postgresql;
  beforeAll(async () => {
    server = await startPostgresql();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const open = (url: string, now = NOON) => createSqlStore(openPostgresql(url), () => now / 1000);
  const number = async (url: string, sql: string) => Number(Object.values((await server.query(url, sql))[0] ?? {})[0]);

  async function everything(store: Store): Promise<readonly SampleRecord[]> {
    const page = await store.samples({ start: undefined, end: undefined }, { limit: 10_000, after: undefined }, true);
    expect(page.next).toBeUndefined();
    return page.rows;
  }

  /** Twenty minutes apart, over midnight, of two resources; the last volumes are of other kinds. */
  function someDays(): SampleRecord[] {
    const samples = Array.from({ length: 200 }, (_, index) =>
      record({
        time: NOON - 2 * DAY + index * 1200 * SECOND,
        resourceId: `r${index % 2}`,
        volume: BigInt(index) * 2n ** 50n,
      }),
    );
    return [
      ...samples,
      record({ time: NOON + DAY, volume: 1.5 }),
      record({ time: NOON + DAY + 1, volume: 10n ** 30n }),
      record({ time: -5, id: 'no uuid' }),
    ].sort((a, b) => a.time - b.time);
  }

  /** What version 1 left behind. */
  async function oldStore(url: string, samples: readonly SampleRecord[], seenDay: number): Promise<void> {
    const run = (sql: string) => server.query(url, sql);
    const literal = (bytes: Buffer) => `'\\x${bytes.toString('hex')}'`;
    const key = (...values: readonly (string | null)[]) => `'\\x${sharedKey(values)}'`;
    await run(versions[0] ?? '');
    await run('CREATE TABLE collector_schema (version integer NOT NULL); INSERT INTO collector_schema VALUES (1)');
    await run(`
      INSERT INTO meters (key, used, name, type, unit) VALUES (${key('cpu', 'cumulative', 'ns')}, ${seenDay}, 'cpu', 'cumulative', 'ns');
      INSERT INTO metadata (key, used, body) VALUES (${key('{"host": "h1"}')}, ${seenDay}, '{"host": "h1"}');
    `);
    const resources = [...new Set(samples.map(({ resourceId }) => resourceId))];
    for (const [index, id] of resources.entries()) {
      const times = samples.filter(({ resourceId }) => resourceId === id).map(({ time }) => time);
      await run(`
        INSERT INTO resources (key, used, resource_id, project_id, user_id, source)
          VALUES (${key(id, 'p1', null, 'u1', null, 'openstack')}, ${seenDay}, '${id}', 'p1', 'u1', 'openstack');
        INSERT INTO series (meter, resource, first, last, samples, gaps, metadata)
          VALUES (1, ${index + 1}, ${Math.min(...times)}, ${Math.max(...times)}, ${times.length}, 0, 1)
      `);
    }
    for (const day of new Set(samples.map(({ time }) => Math.floor(time / DAY))))
      await run(
        `CREATE TABLE samples_${day < 0 ? 'm' : ''}${Math.abs(day)} PARTITION OF samples FOR VALUES FROM (${day * DAY}) TO (${(day + 1) * DAY})`,
      );
    for (const { id, time, resourceId, volume } of samples) {
      const column = typeof volume === 'number' ? '"float"' : volume > 2n ** 63n ? 'long' : 'whole';
      await run(`
        INSERT INTO samples ("time", meter, resource, metadata, id, ${column})
          VALUES (${time}, 1, ${resources.indexOf(resourceId) + 1}, 1, ${literal(idBytes(id))}, ${volume});
        INSERT INTO seen (day, id) VALUES (${seenDay}, ${literal(idBytes(id))})
      `);
    }
  }

  it('are moved from the tables of version 1, and their ids with them', async () => {
    const url = await server.database();
    const samples = someDays();
    await oldStore(url, samples, NOON / DAY - 0.5);

    const store = open(url);
    const found = await everything(store);
    const again = await store.write([...samples, record({ time: NOON, resourceId: 'r0' })], []);

    expect(found).toEqual(samples);
    expect(again).toEqual({ stored: 1, duplicates: samples.length });
    expect((await store.status(NOON)).samples).toBe(samples.length + 1);
    expect(await number(url, "SELECT count(*) FROM pg_class WHERE relname ~ '^(old_|samples)'")).toBe(0);
    await store.close();
  });

  it('are moved once when a move was broken off and several collectors go on with it', async () => {
    const url = await server.database();
    const samples = someDays();
    await oldStore(url, samples, NOON / DAY - 0.5);
    await server.query(url, `${versions[1]}; UPDATE collector_schema SET version = 2`);

    const stores = [open(url), open(url), open(url)];
    const found = await Promise.all(stores.map(everything));

    for (const one of found) expect(one).toEqual(samples);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('are dropped as repetitions long after a move', async () => {
    const url = await server.database();
    const samples = someDays();
    await oldStore(url, samples, NOON / DAY - 0.5);
    const store = open(url, NOON + 10 * DAY);
    await store.expire({ before: undefined, maxBytes: undefined, now: NOON + 10 * DAY });

    expect(await store.write(samples, [])).toEqual({ stored: 0, duplicates: samples.length });
    await store.close();
  });

  it('of a later version are left alone', async () => {
    const url = await server.database();
    await server.query(url, 'CREATE TABLE collector_schema AS SELECT 99 AS version');
    const store = open(url);

    await expect(store.status(NOON)).rejects.toThrow('made by a later version of the collector (schema 99)');
    await store.close();
  });

  it('that came one by one are put together when their half hour is over', async () => {
    const url = await server.database();
    const store = open(url, NOON + HOUR);
    const samples = Array.from({ length: 150 }, (_, index) =>
      record({ time: NOON + (index % 50) * 20 * SECOND, resourceId: `r${index % 3}`, volume: BigInt(index) }),
    );
    for (const sample of samples) await store.write([sample], []);
    const blocks = () => number(url, 'SELECT count(*) FROM blocks');
    const before = await blocks();

    await store.expire({ before: undefined, maxBytes: undefined, now: NOON + HOUR });
    const after = await blocks();
    const late = record({ time: NOON + 7, resourceId: 'r1' });
    await store.write([late], []);
    await store.expire({ before: undefined, maxBytes: undefined, now: NOON + HOUR });

    expect([before, after]).toEqual([150, 3]);
    const found = await everything(store);
    expect(found).toHaveLength(151);
    const byId = (a: SampleRecord, b: SampleRecord) => (a.id < b.id ? -1 : 1);
    expect([...found].sort(byId)).toEqual([...samples, late].sort(byId));
    expect(await store.write([...samples, late], [])).toEqual({ stored: 0, duplicates: 151 });
    await store.close();
  });

  it('take tens of bytes each, and their ids leave after two days', async () => {
    const url = await server.database();
    let now = NOON;
    const store = createSqlStore(openPostgresql(url), () => now / 1000);
    for (let slot = 0; slot < 60; slot++)
      await store.write(
        Array.from({ length: 1000 }, (_, index) =>
          record({ time: NOON + slot * 60 * SECOND + index, resourceId: `r${index}`, volume: BigInt(slot * 1e9) }),
        ),
        [],
      );
    const { bytes } = await store.status(now);

    now += 2 * DAY;
    await store.expire({ before: undefined, maxBytes: undefined, now });
    const { bytes: later } = await store.status(now);

    expect(bytes / 60_000).toBeLessThan(125);
    expect(later / 60_000).toBeLessThan(60);
    await store.close();
  });

  it('of a series are in order when its blocks came in another', async () => {
    const url = await server.database();
    const store = open(url);
    const counter = (seconds: number) =>
      record({ time: NOON + seconds * SECOND, volume: BigInt(seconds * 5), resourceId: 'r1' });
    await store.write([counter(100), counter(300)], []);
    await store.write([counter(0), counter(200), counter(400)], []);

    const { rows } = await store.statistics(
      { start: undefined, end: undefined, meter: 'cpu', period: undefined, group: undefined },
      { limit: 10, after: undefined },
    );

    expect(rows).toMatchObject([{ count: 5, rate: 5, resets: 0 }]);
    await store.close();
  });

  it('survives the end of a connection between two statements, and goes on with another', async () => {
    const url = await server.database();
    const connections = openConnections(url);

    const broken = connections.use(async (query) => {
      await query('BEGIN');
      const [row] = await query('SELECT pg_backend_pid() AS pid');
      const pid = Number(row?.['pid']);
      await server.query(url, `SELECT pg_terminate_backend(${pid})`);
      await eventually(() => number(url, `SELECT count(*) FROM pg_stat_activity WHERE pid = ${pid}`)).toBe(0);
      // Its end has arrived when the server answers another connection.
      await server.query(url, 'SELECT 1');
      await query('COMMIT');
    });

    await expect(broken).rejects.toMatchObject({ code: 'ERR_SERVICE' });
    expect(await connections.use((query) => query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
    await connections.close();
  });
});
