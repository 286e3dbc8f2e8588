/** Tables that are there for each day: partitions of the samples, and the ids that came on a day. */
import type { Query } from './postgresql-connection.ts';
import { BUCKETS_IN_DAY } from './postgresql-schema.ts';

type Kind = 'blocks' | 'seen';

const NAME = /_(m?)([0-9]+)$/;

export const dayTable = (kind: Kind, day: number) => `${kind}_${day < 0 ? 'm' : ''}${Math.abs(day)}`;

export function createBlocks(day: number): string {
  const [from, to] = [day * BUCKETS_IN_DAY, (day + 1) * BUCKETS_IN_DAY];
  return `CREATE TABLE IF NOT EXISTS ${dayTable('blocks', day)} PARTITION OF blocks FOR VALUES FROM (${from}) TO (${to})`;
}

export function createSeen(day: number): string {
  return `CREATE TABLE IF NOT EXISTS ${dayTable('seen', day)} (PRIMARY KEY (hash)) INHERITS (seen)`;
}

/** The oldest first. */
export async function dayTables(query: Query, kind: Kind): Promise<readonly { name: string; day: number }[]> {
  const rows = await query(
    'SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass',
    [kind],
  );
  const found = rows.flatMap(({ name }) => {
    const [, before = '', day] = NAME.exec(String(name)) ?? [];
    return day === undefined ? [] : [{ name: String(name), day: Number(day) * (before === 'm' ? -1 : 1) }];
  });
  return found.sort((a, b) => a.day - b.day);
}
