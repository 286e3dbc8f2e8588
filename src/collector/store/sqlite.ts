/** SQLite as WebAssembly. Its calls block, so a busy process keeps it in a thread of its own: see worker-store.ts. */
import fs from 'node:fs';
import { resolve } from 'node:path';
import sqlite, { type Statement } from 'node-sqlite3-wasm';
import { ConfigError, describeError, ServiceError } from '../../errors.ts';
import {
  type AgentState,
  type Choice,
  type Database,
  type SampleLine,
  type SeriesState,
  type SharedTable,
  type SqlRow,
  type SqlValue,
  sharedTables,
  type Writing,
} from './database.ts';
import { agentState, seriesState } from './rows.ts';
import { lockFile } from './sqlite-lock.ts';
import { BUCKET, versions } from './sqlite-schema.ts';

const CACHE_KILOBYTES = 65_536;
const MOST_STATEMENTS = 200;
const LONGEST_INTEGER = 2n ** 63n - 1n;

const bucketOf = (time: number) => Math.floor(time / BUCKET);
const middle = (bucket: number) => bucket * BUCKET + BUCKET / 2;

/** Throws `ConfigError` where the file cannot be opened, is used by another process, or is of a later version. */
export function openSqlite(path: string): Database {
  const lock = lockFile(path);
  try {
    const db = recovered(path, () => prepared(new sqlite.Database(path), path));
    return sqliteDatabase(db, () => lock[Symbol.dispose]());
  } catch (error) {
    lock[Symbol.dispose]();
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${path}: cannot be opened as an SQLite database: ${describeError(error)}`, { cause: error });
  }
}

/**
 * Opens with the journal of a process that was killed rolled back. SQLite does so unless another process is writing,
 * and this build asks that of the folder that it has just made as its own lock: it would find each journal in use, and
 * leave a half-written file. Nobody else has the file, so while it is opened the answer is that there is no such
 * folder.
 */
function recovered<T>(path: string, open: () => T): T {
  const { accessSync } = fs;
  const lockFolder = `${resolve(path)}.lock`;
  const answer: typeof accessSync = (asked, mode) => {
    if (asked === lockFolder) throw new Error('not held by others');
    accessSync(asked, mode);
  };
  Object.assign(fs, { accessSync: answer });
  try {
    return open();
  } finally {
    Object.assign(fs, { accessSync });
  }
}

function prepared(db: sqlite.Database, path: string): sqlite.Database {
  // The file is ours alone. A journal that is cut off, not deleted, saves a sync of the folder at each commit.
  db.exec(`
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;
    PRAGMA cache_size = -${CACHE_KILOBYTES}; PRAGMA temp_store = MEMORY;
  `);
  const version = Number(db.get('PRAGMA user_version')?.['user_version'] ?? 0);
  if (version > versions.length) {
    db.close();
    throw new ConfigError(`${path}: made by a later version of the collector (schema ${version})`);
  }
  versions.slice(version).forEach((statements, index) => {
    db.exec(`BEGIN; ${statements} PRAGMA user_version = ${version + index + 1}; COMMIT;`);
  });
  return db;
}

function sqliteDatabase(db: sqlite.Database, release: () => void): Database {
  const statements = new Map<string, Statement>();
  let last: Promise<unknown> = Promise.resolve();

  function statement(sql: string): Statement {
    let found = statements.get(sql);
    if (found === undefined) {
      if (statements.size >= MOST_STATEMENTS) {
        for (const old of statements.values()) old.finalize();
        statements.clear();
      }
      found = db.prepare(sql.replace(/\$([0-9]+)/g, '?$1'));
      statements.set(sql, found);
    }
    return found;
  }

  const run = (sql: string, values: readonly SqlValue[]) => statement(sql).run([...values]).changes > 0;
  const rows = (sql: string, values: readonly SqlValue[] = []) => statement(sql).all([...values]) as SqlRow[];

  /** All of it or nothing. Nobody else's statements come in between. */
  function transaction<T>(work: () => Promise<T> | T): Promise<T> {
    const turn = last.then(async () => {
      try {
        db.exec('BEGIN IMMEDIATE');
        const result = await work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        if (db.isOpen && db.inTransaction) db.exec('ROLLBACK');
        throw new ServiceError('SQLite did not do it', { cause: error });
      }
    });
    last = turn.catch(() => undefined);
    return turn;
  }

  const inTurn = <T>(work: () => T): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };

  /** Those that have samples in the span. */
  async function* buckets(start: number, end: number, ascending: boolean): AsyncGenerator<number> {
    const sql = ascending
      ? 'SELECT min(bucket) AS bucket FROM samples WHERE bucket >= $1'
      : 'SELECT max(bucket) AS bucket FROM samples WHERE bucket <= $1';
    let bucket = bucketOf(ascending ? start : end);
    for (;;) {
      const from = bucket;
      const [row] = await inTurn(() => rows(sql, [from]));
      if (row === undefined || row['bucket'] === null) return;
      const found = Number(row['bucket']);
      if (found * BUCKET >= end || (found + 1) * BUCKET <= start) return;
      yield found;
      bucket = found + (ascending ? 1 : -1);
    }
  }

  function share(
    table: SharedTable,
    { key, values }: { key: Buffer; values: readonly (string | null)[] },
    day: number,
  ) {
    const columns = sharedTables[table];
    const [found] = rows(`SELECT id, used FROM ${table} WHERE key = $1`, [key]);
    if (found !== undefined) {
      if (Number(found['used']) < day) run(`UPDATE ${table} SET used = $1 WHERE id = $2`, [day, found['id'] ?? null]);
      return Number(found['id']);
    }
    const places = columns.map((_, index) => `$${index + 3}`).join(', ');
    const { lastInsertRowid } = statement(
      `INSERT INTO ${table} (key, used, ${columns.join(', ')}) VALUES ($1, $2, ${places})`,
    ).run([key, day, ...values]);
    return Number(lastInsertRowid);
  }

  const writing: Writing = {
    async admit(ids, day) {
      const yesterday = 'SELECT 1 FROM seen WHERE day = $1 AND id = $2';
      return ids.map(
        (id) =>
          rows(yesterday, [day - 1, id]).length === 0 &&
          run('INSERT OR IGNORE INTO seen (day, id) VALUES ($1, $2)', [day, id]),
      );
    },
    insert: async (lines) => lines.map((line) => run(insertOf(line.volume), lineValues(line))),
    async series(keys) {
      const sql = 'SELECT * FROM series WHERE meter = $1 AND resource = $2';
      return keys.flatMap(({ meter, resource }) => rows(sql, [meter, resource]).map(seriesState));
    },
    async putSeries(states, changes) {
      for (const state of states) run(PUT_SERIES, seriesValues(state));
      for (const { meter, resource, since, metadata } of changes)
        run('INSERT OR REPLACE INTO metadata_changes (resource, meter, since, metadata) VALUES ($1, $2, $3, $4)', [
          resource,
          meter,
          since,
          metadata,
        ]);
    },
    async agents(keys) {
      const sql = 'SELECT * FROM agents WHERE agent = $1 AND source = $2';
      return keys.flatMap(({ agent, source }) => rows(sql, [agent, source]).map(agentState));
    },
    async putAgents(states) {
      for (const state of states) run(PUT_AGENT, agentValues(state));
    },
  };

  return {
    kind: 'sqlite',
    contains: (column, parameter) => `instr(lower(${column}), lower(${parameter})) > 0`,
    all: (sql, values) => inTurn(() => rows(sql, values)),
    share: (table, shared, day) => transaction(() => shared.map((row) => share(table, row, day))),
    write: (_lines, work) => transaction(() => work(writing)),
    async scan(choice, visit) {
      for await (const bucket of buckets(choice.start, choice.end, true)) {
        const { where, values } = chosen(choice, bucket);
        // As the key lies; of one resource, there are few in a bucket.
        const found = await inTurn(() =>
          rows(`SELECT ${READING} FROM samples AS s WHERE ${where} ORDER BY s.meter, s.resource, s."offset"`, values),
        );
        for (const row of found)
          visit(Number(row['meter']), Number(row['resource']), middle(bucket) + Number(row['offset']), volumeOf(row));
      }
    },
    async lines(choice, { limit, after, ascending }) {
      const lines: SampleLine[] = [];
      const direction = ascending ? 'ASC' : 'DESC';
      const order = ['"offset"', 'meter', 'resource', 'id'].map((column) => `s.${column} ${direction}`).join(', ');
      const from = ascending ? Math.max(choice.start, after?.time ?? choice.start) : choice.start;
      const to = ascending ? choice.end : Math.min(choice.end, (after?.time ?? choice.end) + 1);
      for await (const bucket of buckets(from, to, ascending)) {
        const { where, values } = chosen({ ...choice, start: from, end: to }, bucket);
        if (after !== undefined) values.push(after.time - middle(bucket), after.meter, after.resource, after.id);
        const place = '(s."offset", s.meter, s.resource, s.id)';
        const beyond = after === undefined ? '' : ` AND ${place} ${ascending ? '>' : '<'} ($6, $7, $8, $9)`;
        const found = await inTurn(() =>
          rows(
            `SELECT s.id AS id, s.metadata AS metadata, ${READING} FROM samples AS s WHERE ${where}${beyond}
             ORDER BY ${order} LIMIT ${limit - lines.length}`,
            values,
          ),
        );
        for (const row of found)
          lines.push({
            id: row['id'] instanceof Uint8Array ? Buffer.from(row['id']) : Buffer.alloc(0),
            meter: Number(row['meter']),
            resource: Number(row['resource']),
            metadata: Number(row['metadata']),
            time: middle(bucket) + Number(row['offset']),
            volume: volumeOf(row),
          });
        if (lines.length >= limit) break;
      }
      return lines;
    },
    async *chunks(start, end) {
      for await (const bucket of buckets(start, end, true))
        yield { start: bucket * BUCKET, end: (bucket + 1) * BUCKET };
    },
    bytes: () =>
      inTurn(() => {
        const pragma = (name: string) => Number(Object.values(rows(`PRAGMA ${name}`)[0] ?? {})[0] ?? 0);
        return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
      }),
    remove: (chunk, before) =>
      transaction(() => {
        const bucket = bucketOf(chunk.start);
        const values = [bucket, before - middle(bucket)];
        const which = 'bucket = $1 AND "offset" < $2';
        const counts = rows(
          `SELECT meter, resource, count(*) AS samples FROM samples WHERE ${which} GROUP BY meter, resource`,
          values,
        );
        for (const { meter = null, resource = null, samples = null } of counts)
          run('UPDATE series SET samples = samples - $3 WHERE meter = $1 AND resource = $2', [
            meter,
            resource,
            samples,
          ]);
        run(`DELETE FROM samples WHERE ${which}`, values);
        return counts.reduce((sum, { samples }) => sum + Number(samples), 0);
      }),
    forget: ({ ids, shared }) =>
      transaction(() => {
        run('DELETE FROM seen WHERE day < $1', [ids]);
        run('DELETE FROM series WHERE samples <= 0', []);
        run(
          `DELETE FROM metadata_changes WHERE NOT EXISTS (SELECT 1 FROM series AS s
             WHERE s.meter = metadata_changes.meter AND s.resource = metadata_changes.resource)`,
          [],
        );
        run('DELETE FROM metadata WHERE used < $1 AND id NOT IN (SELECT metadata FROM metadata_changes)', [shared]);
        run('DELETE FROM resources WHERE used < $1 AND id NOT IN (SELECT resource FROM series)', [shared]);
        run('DELETE FROM meters WHERE used < $1 AND id NOT IN (SELECT meter FROM series)', [shared]);
      }),
    // Samples of a meter and a resource lie together as they come.
    tidy: async () => {},
    close: () =>
      inTurn(() => {
        for (const one of statements.values()) one.finalize();
        statements.clear();
        if (db.isOpen) db.close();
        release();
      }),
  };
}

const READING =
  's.meter AS meter, s.resource AS resource, s."offset" AS "offset", s.volume AS volume, typeof(s.volume) AS kind';

function volumeOf({ volume, kind }: SqlRow): number | bigint {
  if (kind === 'real') return Number(volume);
  return BigInt(typeof volume === 'string' || typeof volume === 'bigint' ? volume : Number(volume));
}

/**
 * A condition on the samples `s` with five values. There are few such texts: lists come as JSON, and a single id by
 * itself, for then the order of the key is that of the rows.
 */
function chosen({ start, end, meters, resources }: Choice, bucket: number): { where: string; values: SqlValue[] } {
  const [meter, resource] = [among('s.meter', meters, '$4'), among('s.resource', resources, '$5')];
  return {
    where: `s.bucket = $1 AND s."offset" >= $2 AND s."offset" < $3 AND ${meter.where} AND ${resource.where}`,
    values: [
      bucket,
      Math.max(start - middle(bucket), -BUCKET),
      Math.min(end - middle(bucket), BUCKET),
      meter.value,
      resource.value,
    ],
  };
}

function among(column: string, ids: readonly number[] | undefined, place: string): { where: string; value: SqlValue } {
  if (ids === undefined) return { where: `${place} IS NULL`, value: null };
  const [only = null] = ids;
  if (ids.length === 1) return { where: `${column} = ${place}`, value: only };
  return { where: `${column} IN (SELECT value FROM json_each(${place}))`, value: JSON.stringify(ids) };
}

/** A whole number is bound as an integer, so a float that is whole has to be told. */
function insertOf(volume: number | bigint): string {
  const place = typeof volume === 'number' ? 'CAST($7 AS REAL)' : '$7';
  return `INSERT OR IGNORE INTO samples (bucket, meter, resource, id, "offset", metadata, volume) VALUES ($1, $2, $3, $4, $5, $6, ${place})`;
}

function lineValues({ id, meter, resource, metadata, time, volume }: SampleLine): SqlValue[] {
  const bucket = bucketOf(time);
  const long = typeof volume === 'bigint' && (volume > LONGEST_INTEGER || volume < -LONGEST_INTEGER);
  return [bucket, meter, resource, id, time - middle(bucket), metadata, long ? String(volume) : volume];
}

const rhythmColumns = 'first, last, samples, rhythm, step, gaps, gap_start, gap_end';
const PUT_SERIES = `INSERT OR REPLACE INTO series (meter, resource, ${rhythmColumns}, metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;
const PUT_AGENT = `INSERT OR REPLACE INTO agents (agent, source, ${rhythmColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

function rhythmValues(state: SeriesState | AgentState): SqlValue[] {
  const { first, last, samples, interval, step, gaps, gapStart, gapEnd } = state;
  return [first, last, samples, interval, step, gaps, gapStart, gapEnd];
}

const seriesValues = (state: SeriesState) => [state.meter, state.resource, ...rhythmValues(state), state.metadata];
const agentValues = (state: AgentState) => [state.agent, state.source, ...rhythmValues(state)];
