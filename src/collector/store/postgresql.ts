/**
 * PostgreSQL, for more than one machine can hold. Samples are in a partition for each day, which is dropped as a whole.
 */
import { singleFlight } from '../../util/single-flight.ts';
import { DAY, type Database, dayOf, type SqlValue, sharedTables } from './database.ts';
import {
  countBlocks,
  inOldBlocks,
  insertBlocks,
  looseBuckets,
  loosen,
  pageOfLines,
  removeBlocks,
  scanBlocks,
  tidyBucket,
} from './postgresql-blocks.ts';
import { numbers, openConnections, type Query } from './postgresql-connection.ts';
import { createBlocks, createSeen, dayTable, dayTables } from './postgresql-days.ts';
import { admitIds } from './postgresql-seen.ts';
import { statesOn } from './postgresql-states.ts';
import { upgradeTables, WRITER_LOCK } from './postgresql-upgrade.ts';

/** Connects with the first call. `url` is a URL of libpq's form. */
export function openPostgresql(url: string): Database {
  const connections = openConnections(url);
  /** Names of the tables of days that are known to exist. */
  const tables = new Set<string>();
  let upgraded = false;

  const upgrade = singleFlight(async () => {
    await upgradeTables(connections.use);
    upgraded = true;
  });

  async function withQuery<T>(work: (query: Query) => Promise<T>): Promise<T> {
    if (!upgraded) await upgrade();
    return connections.use(work);
  }

  async function transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    try {
      return await withQuery(async (query) => {
        await query(`BEGIN; SELECT pg_advisory_xact_lock(${WRITER_LOCK})`);
        const result = await work(query);
        await query('COMMIT');
        return result;
      });
    } catch (error) {
      // Another collector may have removed one.
      tables.clear();
      throw error;
    }
  }

  /** Makes the tables of days that are missing. What is remembered is committed. */
  async function addTables(wanted: ReadonlyMap<string, string>): Promise<void> {
    const missing = [...wanted].filter(([name]) => !tables.has(name));
    if (missing.length === 0) return;
    await transaction(async (query) => {
      for (const [, statement] of missing) await query(statement);
    });
    for (const [name] of missing) tables.add(name);
  }

  return {
    kind: 'postgresql',
    contains: (column, parameter) => `position(lower(${parameter}::text) IN lower(${column})) > 0`,
    all: (sql, values) => withQuery((query) => query(sql, values)),

    async share(table, rows, day) {
      const columns = sharedTables[table];
      const sorted = [...rows].sort((a, b) => a.key.compare(b.key));
      const arrays = ['bytea', ...columns.map(() => 'text')].map((type, index) => `$${index + 2}::${type}[]`);
      const values = [
        day,
        sorted.map(({ key }) => key),
        ...columns.map((_, column) => sorted.map((row) => row.values[column] ?? null)),
      ];
      const found = await withQuery((query) =>
        query(
          `INSERT INTO ${table} (used, key, ${columns.join(', ')}) SELECT $1::integer, * FROM unnest(${arrays.join(', ')})
           ON CONFLICT (key) DO UPDATE SET used = greatest(${table}.used, excluded.used) RETURNING id, key`,
          values,
        ),
      );
      const ids = new Map(found.map((row) => [hexOf(row['key']), Number(row['id'])]));
      return rows.map(({ key }) => ids.get(key.toString('hex')) ?? 0);
    },

    async write({ times, day }, work) {
      const days = new Set(times.map(dayOf));
      await addTables(
        new Map([
          ...[...days].map((each) => [dayTable('blocks', each), createBlocks(each)] as const),
          ...[day - 1, day].map((each) => [dayTable('seen', each), createSeen(each)] as const),
        ]),
      );
      return transaction((query) =>
        work({
          admit: (ids, today) => admitIds(query, ids, today),
          async insert(lines, today) {
            if (lines.length === 0) return [];
            // Ids since yesterday are known.
            const old = await inOldBlocks(query, lines, today - 1);
            const fresh = lines.filter((_, index) => !old[index]);
            await insertBlocks(query, fresh, today);
            await loosen(query, fresh);
            return old.map((is) => !is);
          },
          ...statesOn(query),
        }),
      );
    },

    scan: (choice, visit) => withQuery((query) => scanBlocks(query, choice, visit)),
    lines: (choice, page) => withQuery((query) => pageOfLines(query, choice, page)),

    async *chunks(start, end) {
      const found = await withQuery((query) => dayTables(query, 'blocks'));
      for (const { day } of found) {
        const chunk = { start: day * DAY, end: (day + 1) * DAY };
        if (chunk.start < end && chunk.end > start) yield chunk;
      }
    },

    async bytes() {
      const single = [...Object.keys(sharedTables), 'series', 'metadata_changes', 'loose', 'agents'];
      const [row] = await withQuery((query) =>
        query(
          `SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class WHERE oid = ANY ($1::regclass[])
             OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent IN ('blocks'::regclass, 'seen'::regclass))`,
          [single],
        ),
      );
      return Number(row?.['bytes'] ?? 0);
    },

    remove: (chunk, before) =>
      transaction(async (query) => {
        const whole = before >= chunk.end;
        const table = dayTable('blocks', dayOf(chunk.start));
        const counts = await (whole ? countBlocks(query, table) : removeBlocks(query, chunk.start, before));
        await query(
          `UPDATE series AS s SET samples = s.samples - gone.samples
           FROM unnest($1::integer[], $2::integer[], $3::integer[]) AS gone (meter, resource, samples)
           WHERE s.meter = gone.meter AND s.resource = gone.resource`,
          [
            numbers(counts.map(({ meter }) => meter)),
            numbers(counts.map(({ resource }) => resource)),
            numbers(counts.map(({ samples }) => samples)),
          ],
        );
        if (whole) {
          await query(`DROP TABLE ${table}`);
          tables.delete(table);
        }
        return counts.reduce((sum, { samples }) => sum + samples, 0);
      }),

    async tidy(before) {
      for (const bucket of await withQuery((query) => looseBuckets(query, before)))
        await transaction((query) => tidyBucket(query, bucket));
    },

    forget: ({ ids, shared }) =>
      transaction(async (query) => {
        for (const { name, day } of await dayTables(query, 'seen')) if (day < ids) await query(`DROP TABLE ${name}`);
        await query('DELETE FROM series WHERE samples <= 0');
        await query(
          `DELETE FROM metadata_changes AS c WHERE NOT EXISTS
             (SELECT 1 FROM series AS s WHERE s.meter = c.meter AND s.resource = c.resource)`,
        );
        const before = [Math.max(shared, -(2 ** 31))];
        await query(
          'DELETE FROM metadata AS b WHERE used < $1 AND NOT EXISTS (SELECT 1 FROM metadata_changes WHERE metadata = b.id)',
          before,
        );
        await query(
          'DELETE FROM resources AS r WHERE used < $1 AND NOT EXISTS (SELECT 1 FROM series WHERE resource = r.id)',
          before,
        );
        await query(
          'DELETE FROM meters AS m WHERE used < $1 AND NOT EXISTS (SELECT 1 FROM series WHERE meter = m.id)',
          before,
        );
      }),
    close: () => connections.close(),
  };
}

function hexOf(value: SqlValue | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : '';
}
