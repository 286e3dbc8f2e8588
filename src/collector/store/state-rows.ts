/** Rows of both databases as states. */
import type { AgentState, SeriesState, SqlRow, SqlValue } from './database.ts';

const numberOrNull = (value: SqlValue | undefined) => (value === null || value === undefined ? null : Number(value));

function rhythmState(row: SqlRow) {
  return {
    first: Number(row['first']),
    last: Number(row['last']),
    samples: Number(row['samples']),
    interval: numberOrNull(row['rhythm']),
    step: numberOrNull(row['step']),
    gaps: Number(row['gaps']),
    gapStart: numberOrNull(row['gap_start']),
    gapEnd: numberOrNull(row['gap_end']),
  };
}

export function seriesState(row: SqlRow): SeriesState {
  const { meter, resource, metadata } = row;
  return { meter: Number(meter), resource: Number(resource), metadata: Number(metadata), ...rhythmState(row) };
}

export function agentState(row: SqlRow): AgentState {
  return { agent: String(row['agent']), source: String(row['source']), ...rhythmState(row) };
}
