/**
 * Message ids that came of late, in PostgreSQL: eight bytes of a hash in place of each, in a table for each day. Two of
 * ten million ids of a day are taken for one with a probability of one in a hundred thousand.
 */
import { hash } from 'node:crypto';
import { numbers, type Query } from './postgresql-connection.ts';
import { dayTable } from './postgresql-days.ts';

function idHash(id: Buffer): bigint {
  return hash('sha256', id, 'buffer').readBigInt64BE();
}

/** Which ids were not seen on this or the day before, nor twice in the list; from now on they are. */
export async function admitIds(query: Query, ids: readonly Buffer[], day: number): Promise<readonly boolean[]> {
  if (ids.length === 0) return [];
  const hashes = ids.map(idHash);
  const rows = await query(
    `INSERT INTO ${dayTable('seen', day)} (hash) SELECT u.hash FROM unnest($1::bigint[]) AS u (hash)
     WHERE NOT EXISTS (SELECT 1 FROM ${dayTable('seen', day - 1)} AS y WHERE y.hash = u.hash)
     ON CONFLICT DO NOTHING RETURNING hash`,
    [numbers(new Set(hashes))],
  );
  const fresh = new Set(rows.map((row) => BigInt(String(row['hash']))));
  // The first of several counts.
  return hashes.map((one) => fresh.delete(one));
}

/** Adds what another version kept, by the day. */
export async function keepIds(query: Query, ids: readonly Buffer[], day: number): Promise<void> {
  await query(`INSERT INTO ${dayTable('seen', day)} (hash) SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING`, [
    numbers(ids.map(idHash)),
  ]);
}
