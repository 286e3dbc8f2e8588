/** PostgreSQL, for more than one machine can hold. Samples are in a partition for each day, which is dropped as a whole. */
import pg from 'pg';
import { ConfigError, describeError, ServiceError } from '../../errors.ts';
import { singleFlight } from '../../util/single-flight.ts';
import {
  type AgentState,
  type Chunk,
  DAY,
  type Database,
  dayOf,
  type SampleLine,
  type SeriesState,
  type SqlRow,
  type SqlValue,
  sharedTables,
  type Writing,
} from './database.ts';
import { versions } from './postgresql-schema.ts';
import { agentState, seriesState } from './state-rows.ts';

const CONNECTIONS = 4;
const CONNECT_TIMEOUT = 10_000;
/** Milliseconds for one statement. */
const STATEMENT_TIMEOUT = 120_000;
/** Writers take turns: each reads what it is about to change. The numbers are ours alone, within one database. */
const WRITER_LOCK = 0x6365_696c;
const SCHEMA_LOCK = 0x6365_696d;
const LONGEST_INTEGER = 2n ** 63n - 1n;
const INT8 = 20;

/** In a day. */
const SHORT_CHUNKS = 24;

const partitionOf = (day: number) => `samples_${day < 0 ? 'm' : ''}${Math.abs(day)}`;
const PARTITION = /^samples_(m?)([0-9]+)$/;

type Query = (sql: string, values?: readonly unknown[]) => Promise<readonly SqlRow[]>;

/** Connects with the first call. `url` is a URL of libpq's form. */
export function openPostgresql(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    application_name: 'ceilometer-collector',
    types: { getTypeParser: (type, format) => (type === INT8 ? integerOf : pg.types.getTypeParser(type, format)) },
  });
  // An idle connection that breaks is replaced when the next one is needed.
  pool.on('error', () => {});
  const partitions = new Set<number>();
  let migrated = false;

  const migration = singleFlight(async () => {
    await onConnection(migrate);
    migrated = true;
  });

  async function onConnection<T>(work: (query: Query) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined;
    let broken: Error | undefined;
    try {
      client = await pool.connect();
      const connection = client;
      return await work(async (sql, values = []) => (await connection.query<SqlRow>(sql, [...values])).rows);
    } catch (error) {
      broken = error instanceof Error ? error : new Error(String(error));
      partitions.clear();
      if (error instanceof ConfigError) throw error;
      throw new ServiceError(`PostgreSQL: ${describeError(error)}`, { cause: error });
    } finally {
      // After a failed statement nobody knows what state it is in.
      client?.release(broken);
    }
  }

  async function withQuery<T>(work: (query: Query) => Promise<T>): Promise<T> {
    if (!migrated) await migration();
    return onConnection(work);
  }

  const transaction = <T>(work: (query: Query) => Promise<T>): Promise<T> =>
    withQuery(async (query) => {
      await query('BEGIN');
      await query('SELECT pg_advisory_xact_lock($1)', [WRITER_LOCK]);
      const result = await work(query);
      await query('COMMIT');
      return result;
    });

  async function addPartitions(times: readonly number[]): Promise<void> {
    const days = new Set<number>();
    for (const time of times) days.add(dayOf(time));
    const missing = [...days].filter((day) => !partitions.has(day));
    if (missing.length === 0) return;
    await transaction(async (query) => {
      for (const day of missing)
        await query(
          `CREATE TABLE IF NOT EXISTS ${partitionOf(day)} PARTITION OF samples FOR VALUES FROM (${day * DAY}) TO (${(day + 1) * DAY})`,
        );
    });
    for (const day of missing) partitions.add(day);
  }

  async function days(query: Query): Promise<readonly number[]> {
    const rows = await query(
      "SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = 'samples'::regclass",
    );
    return rows.flatMap(({ name }) => {
      const match = PARTITION.exec(String(name));
      return match === null ? [] : [Number(match[2]) * (match[1] === 'm' ? -1 : 1)];
    });
  }

  return {
    kind: 'postgresql',
    volumeColumns: 's.whole AS whole, s."float" AS "float", s.long AS long',
    volumeOf({ whole, float, long }) {
      if (float !== null) return Number(float);
      return BigInt(String(whole ?? long));
    },
    timeColumns: 's."time" AS "time"',
    timeSql: 's."time"',
    timeOrder: 's.meter, s.resource, s."time"',
    timeOf: ({ time }) => Number(time),
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

    async write({ times }, work) {
      await addPartitions(times);
      return transaction((query) => work(writingOn(query)));
    },

    async *chunks(start, end, ascending, length) {
      const found = [...(await withQuery(days))].sort((a, b) => (ascending ? a - b : b - a));
      for (const day of found) {
        const parts = length === 'short' ? SHORT_CHUNKS : 1;
        for (let part = 0; part < parts; part++) {
          const from = day * DAY + ((ascending ? part : parts - 1 - part) * DAY) / parts;
          const chunk = { start: from, end: from + DAY / parts };
          if (chunk.start < end && chunk.end > start) yield chunk;
        }
      }
    },
    within(chunk, start, end) {
      return `s."time" >= ${Math.max(chunk.start, start)} AND s."time" < ${Math.min(chunk.end, end)}`;
    },

    async bytes() {
      const tables = [...Object.keys(sharedTables), 'series', 'metadata_changes', 'seen', 'agents'];
      const [row] = await withQuery((query) =>
        query(
          `SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class WHERE oid = ANY ($1::regclass[])
             OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'samples'::regclass)`,
          [tables],
        ),
      );
      return Number(row?.['bytes'] ?? 0);
    },

    remove: (chunk, before) => transaction((query) => removeFrom(query, chunk, before)),

    forget: ({ ids, shared }) =>
      transaction(async (query) => {
        await query('DELETE FROM seen WHERE day < $1', [ids]);
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
    close: () => pool.end(),
  };

  async function removeFrom(query: Query, chunk: Chunk, before: number): Promise<number> {
    const day = dayOf(chunk.start);
    const whole = before >= chunk.end;
    const [counted] = await query(
      `WITH gone AS (
         SELECT meter, resource, count(*) AS samples FROM samples WHERE "time" >= $1 AND "time" < $2 GROUP BY meter, resource
       ), changed AS (
         UPDATE series AS s SET samples = s.samples - gone.samples FROM gone
         WHERE s.meter = gone.meter AND s.resource = gone.resource
       ) SELECT coalesce(sum(samples), 0) AS samples FROM gone`,
      [chunk.start, Math.min(chunk.end, before)],
    );
    if (whole) await query(`DROP TABLE ${partitionOf(day)}`);
    else await query('DELETE FROM samples WHERE "time" >= $1 AND "time" < $2', [chunk.start, before]);
    if (whole) partitions.delete(day);
    return Number(counted?.['samples'] ?? 0);
  }
}

async function migrate(query: Query): Promise<void> {
  await query('BEGIN');
  await query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
  await query('CREATE TABLE IF NOT EXISTS collector_schema (version integer NOT NULL)');
  const [row] = await query('SELECT max(version) AS version FROM collector_schema');
  const version = Number(row?.['version'] ?? 0);
  if (version > versions.length)
    throw new ConfigError(`[database] connection: made by a later version of the collector (schema ${version})`);
  for (const statements of versions.slice(version)) await query(statements);
  await query('DELETE FROM collector_schema');
  await query('INSERT INTO collector_schema (version) VALUES ($1)', [versions.length]);
  await query('COMMIT');
}

function writingOn(query: Query): Writing {
  return {
    async admit(ids, day) {
      const unique = new Map(ids.map((id) => [id.toString('hex'), id]));
      const rows = await query(
        `INSERT INTO seen (day, id) SELECT $1::integer, u.id FROM unnest($2::bytea[]) AS u (id)
         WHERE NOT EXISTS (SELECT 1 FROM seen AS y WHERE y.day = $1::integer - 1 AND y.id = u.id)
         ON CONFLICT DO NOTHING RETURNING id`,
        [day, [...unique.values()]],
      );
      const fresh = new Set(rows.map((row) => hexOf(row['id'])));
      // The first of several counts.
      return ids.map((id) => fresh.delete(id.toString('hex')));
    },
    async insert(lines) {
      if (lines.length === 0) return [];
      const column = <T>(pick: (line: SampleLine) => T) => lines.map(pick);
      const rows = await query(
        `INSERT INTO samples ("time", meter, resource, metadata, id, whole, "float", long)
         SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::bytea[], $6::bigint[],
           $7::double precision[], $8::numeric[])
         ON CONFLICT DO NOTHING RETURNING id`,
        [
          column(({ time }) => time),
          column(({ meter }) => meter),
          column(({ resource }) => resource),
          column(({ metadata }) => metadata),
          column(({ id }) => id),
          column(({ volume }) => (isWhole(volume) ? String(volume) : null)),
          column(({ volume }) => (typeof volume === 'number' ? String(volume) : null)),
          column(({ volume }) => (typeof volume === 'bigint' && !isWhole(volume) ? String(volume) : null)),
        ],
      );
      const inserted = new Set(rows.map((row) => hexOf(row['id'])));
      return lines.map(({ id }) => inserted.has(id.toString('hex')));
    },
    async series(keys) {
      const rows = await query(
        `SELECT s.* FROM unnest($1::integer[], $2::integer[]) AS u (meter, resource)
         JOIN series AS s ON s.meter = u.meter AND s.resource = u.resource`,
        [keys.map(({ meter }) => meter), keys.map(({ resource }) => resource)],
      );
      return rows.map(seriesState);
    },
    async putSeries(states, changes) {
      await put(query, 'series', ['meter', 'resource'], seriesColumns, states);
      await put(query, 'metadata_changes', ['resource', 'meter', 'since'], changeColumns, changes);
    },
    async agents(keys) {
      const rows = await query(
        `SELECT a.* FROM unnest($1::text[], $2::text[]) AS u (agent, source)
         JOIN agents AS a ON a.agent = u.agent AND a.source = u.source`,
        [keys.map(({ agent }) => agent), keys.map(({ source }) => source)],
      );
      return rows.map(agentState);
    },
    putAgents: (states) => put(query, 'agents', ['agent', 'source'], agentColumns, states),
  };
}

interface Column<T> {
  readonly name: string;
  readonly type: 'integer' | 'bigint' | 'text';
  of(row: T): SqlValue;
}

const rhythmColumns: readonly Column<SeriesState | AgentState>[] = [
  { name: 'first', type: 'bigint', of: ({ first }) => first },
  { name: 'last', type: 'bigint', of: ({ last }) => last },
  { name: 'samples', type: 'bigint', of: ({ samples }) => samples },
  { name: 'rhythm', type: 'bigint', of: ({ interval }) => interval },
  { name: 'step', type: 'bigint', of: ({ step }) => step },
  { name: 'gaps', type: 'integer', of: ({ gaps }) => gaps },
  { name: 'gap_start', type: 'bigint', of: ({ gapStart }) => gapStart },
  { name: 'gap_end', type: 'bigint', of: ({ gapEnd }) => gapEnd },
];

const seriesColumns: readonly Column<SeriesState>[] = [
  { name: 'meter', type: 'integer', of: ({ meter }) => meter },
  { name: 'resource', type: 'integer', of: ({ resource }) => resource },
  { name: 'metadata', type: 'integer', of: ({ metadata }) => metadata },
  ...rhythmColumns,
];

const agentColumns: readonly Column<AgentState>[] = [
  { name: 'agent', type: 'text', of: ({ agent }) => agent },
  { name: 'source', type: 'text', of: ({ source }) => source },
  ...rhythmColumns,
];

const changeColumns: readonly Column<Parameters<Writing['putSeries']>[1][number]>[] = [
  { name: 'resource', type: 'integer', of: ({ resource }) => resource },
  { name: 'meter', type: 'integer', of: ({ meter }) => meter },
  { name: 'since', type: 'bigint', of: ({ since }) => since },
  { name: 'metadata', type: 'integer', of: ({ metadata }) => metadata },
];

/** Inserts rows, or replaces those with their keys. */
async function put<T>(
  query: Query,
  table: string,
  keys: readonly string[],
  columns: readonly Column<T>[],
  rows: readonly T[],
): Promise<void> {
  if (rows.length === 0) return;
  const names = columns.map(({ name }) => name);
  const set = names.filter((name) => !keys.includes(name)).map((name) => `${name} = excluded.${name}`);
  await query(
    `INSERT INTO ${table} (${names.join(', ')})
     SELECT * FROM unnest(${columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ')})
     ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${set.join(', ')}`,
    columns.map((column) => rows.map(column.of)),
  );
}

function isWhole(volume: number | bigint): boolean {
  return typeof volume === 'bigint' && volume <= LONGEST_INTEGER && volume >= -LONGEST_INTEGER;
}

function hexOf(value: SqlValue | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : '';
}

function integerOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
