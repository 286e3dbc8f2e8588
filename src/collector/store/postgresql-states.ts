/** What is known about series and agents, in PostgreSQL. */
import type { AgentState, SeriesState, Writing } from './database.ts';
import { numbers, type Query } from './postgresql-connection.ts';
import { agentState, seriesState } from './rows.ts';

type States = Pick<Writing, 'series' | 'putSeries' | 'agents' | 'putAgents'>;

export function statesOn(query: Query): States {
  return {
    async series(keys) {
      const rows = await query(
        `SELECT s.* FROM unnest($1::integer[], $2::integer[]) AS u (meter, resource)
         JOIN series AS s ON s.meter = u.meter AND s.resource = u.resource`,
        [numbers(keys.map(({ meter }) => meter)), numbers(keys.map(({ resource }) => resource))],
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

type Column<T> = { readonly name: string } & (
  | { readonly type: 'integer' | 'bigint'; of(row: T): number | null }
  | { readonly type: 'text'; of(row: T): string }
);

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
    columns.map((column) => (column.type === 'text' ? rows.map(column.of) : numbers(rows.map(column.of)))),
  );
}
