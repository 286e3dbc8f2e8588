/** From the tables of any version to those of this one. */
import { ConfigError } from '../../errors.ts';
import { dayOf, type SampleLine, type SqlRow } from './database.ts';
import { insertBlocks, loosen } from './postgresql-blocks.ts';
import type { Query } from './postgresql-connection.ts';
import { createBlocks, createSeen } from './postgresql-days.ts';
import { BUCKET, versions } from './postgresql-schema.ts';
import { keepIds } from './postgresql-seen.ts';

type Use = <T>(work: (query: Query) => Promise<T>) => Promise<T>;

/** Writers take turns: each reads what it is about to change. The numbers are ours alone, within one database. */
export const WRITER_LOCK = 0x6365_696c;
const SCHEMA_LOCK = 0x6365_696d;

/** Rows of the old tables at a time. */
const MOVED = 20_000;

/**
 * Several collectors may do it at the same time, and one that was broken off is gone on with: each step is a
 * transaction. Throws `ConfigError` for tables of a later version.
 */
export async function upgradeTables(use: Use): Promise<void> {
  const step = <T>(work: (query: Query) => Promise<T>) =>
    use(async (query) => {
      await query('BEGIN');
      await query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
      const result = await work(query);
      await query('COMMIT');
      return result;
    });
  await step(applyVersions);
  while (await step(moveOldDay));
  await step(moveOldIds);
}

async function applyVersions(query: Query): Promise<void> {
  await query('CREATE TABLE IF NOT EXISTS collector_schema (version integer NOT NULL)');
  const [row] = await query('SELECT max(version) AS version FROM collector_schema');
  const version = Number(row?.['version'] ?? 0);
  if (version > versions.length)
    throw new ConfigError(`[database] connection: made by a later version of the collector (schema ${version})`);
  if (version === versions.length) return;
  for (const statements of versions.slice(version)) await query(statements);
  await query('DELETE FROM collector_schema');
  await query('INSERT INTO collector_schema (version) VALUES ($1)', [versions.length]);
}

/** By a look at the catalogue: `to_regclass` may not know yet what another collector has just done. */
async function exists(query: Query, table: string): Promise<boolean> {
  return (await query('SELECT 1 FROM pg_class WHERE relname = $1 AND pg_table_is_visible(oid)', [table])).length > 0;
}

/** Version 1 had a row for each sample. Resolves to whether there may be another day. */
async function moveOldDay(query: Query): Promise<boolean> {
  if (!(await exists(query, 'old_samples'))) return false;
  const [partition] = await query(
    `SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'old_samples'::regclass ORDER BY c.relname DESC LIMIT 1`,
  );
  if (partition === undefined) {
    await query('DROP TABLE old_samples');
    return false;
  }
  const table = String(partition['name']);
  await query(`DECLARE old CURSOR FOR SELECT * FROM ${table} ORDER BY "time" / ${BUCKET}, meter, resource, "time", id`);
  for (let more = true; more; ) {
    const rows = await query(`FETCH ${MOVED} FROM old`);
    const lines = rows.map(oldLine);
    const days = new Set(lines.map(({ time }) => dayOf(time)));
    for (const day of days) await query(createBlocks(day));
    // Of when they were written nothing is known: for long ago, a repetition is looked for.
    await insertBlocks(query, lines, 0);
    await loosen(query, lines);
    more = rows.length === MOVED;
  }
  await query('CLOSE old');
  await query(`DROP TABLE ${table}`);
  return true;
}

function oldLine(row: SqlRow): SampleLine {
  const { id, meter, resource, metadata, time, whole = null, float = null, long } = row;
  return {
    id: id instanceof Uint8Array ? Buffer.from(id) : Buffer.alloc(0),
    meter: Number(meter),
    resource: Number(resource),
    metadata: Number(metadata),
    time: Number(time),
    volume: float !== null ? Number(float) : BigInt(String(whole ?? long)),
  };
}

async function moveOldIds(query: Query): Promise<void> {
  if (!(await exists(query, 'old_seen'))) return;
  const days = await query('SELECT DISTINCT day FROM old_seen');
  for (const { day = null } of days) {
    await query(createSeen(Number(day)));
    await query(`DECLARE old CURSOR FOR SELECT id FROM old_seen WHERE day = ${Number(day)}`);
    for (let more = true; more; ) {
      const rows = await query(`FETCH ${MOVED} FROM old`);
      await keepIds(
        query,
        rows.flatMap(({ id }) => (id instanceof Uint8Array ? [Buffer.from(id)] : [])),
        Number(day),
      );
      more = rows.length === MOVED;
    }
    await query('CLOSE old');
  }
  await query('DROP TABLE old_seen');
}
