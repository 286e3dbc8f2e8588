/** What rows of both databases say. */
import type { SampleType } from '../../sample.ts';
import type { AgentState, SeriesState, SqlRow, SqlValue } from './database.ts';
import { isLate } from './rhythm.ts';

export const textOrNull = (value: SqlValue | undefined) =>
  value === null || value === undefined ? null : String(value);
export const numberOrNull = (value: SqlValue | undefined) =>
  value === null || value === undefined ? null : Number(value);

export function typeOf({ type }: SqlRow): SampleType {
  return type === 'delta' || type === 'cumulative' ? type : 'gauge';
}

export function meterOf(row: SqlRow) {
  return { name: String(row['name']), type: typeOf(row), unit: String(row['unit']) };
}

export function ownerOf(row: SqlRow) {
  return {
    resourceId: String(row['resource_id']),
    projectId: textOrNull(row['project_id']),
    projectName: textOrNull(row['project_name']),
    userId: textOrNull(row['user_id']),
    userName: textOrNull(row['user_name']),
    source: String(row['source']),
  };
}

/** When a series or an agent was heard of. */
export function hearingOf(row: SqlRow, now: number) {
  const [last, interval] = [Number(row['last']), numberOrNull(row['rhythm'])];
  return {
    samples: Number(row['samples']),
    first: Number(row['first']),
    last,
    interval,
    late: isLate({ last, interval }, now),
  };
}

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
