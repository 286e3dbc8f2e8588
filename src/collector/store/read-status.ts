import { DAY, type Database } from './database.ts';
import { lateCondition } from './rhythm.ts';
import { hearingOf, numberOrNull } from './rows.ts';
import type { StoreStatus } from './store.ts';

/** Of what is late and of gaps. */
const MOST_LISTED = 100;

/** What there is, and what is late or missing. */
export async function readStatus(db: Database, now: number): Promise<StoreStatus> {
  const late = lateCondition(String(now), 's');
  const names = 'm.name AS meter, r.resource_id AS resource_id';
  const joined = 'series AS s JOIN meters AS m ON m.id = s.meter JOIN resources AS r ON r.id = s.resource';
  const [totals, agents, overdue, gaps] = await Promise.all([
    db.all(
      `SELECT count(*) AS series, count(DISTINCT m.name) AS meters, count(DISTINCT r.resource_id) AS resources,
         coalesce(sum(s.samples), 0) AS samples, min(s.first) AS first, max(s.last) AS last,
         coalesce(sum(CASE WHEN ${late} THEN 1 ELSE 0 END), 0) AS late, coalesce(sum(s.gaps), 0) AS gaps
       FROM ${joined}`,
    ),
    db.all('SELECT * FROM agents ORDER BY agent, source'),
    db.all(
      `SELECT ${names}, s.last AS last, s.rhythm AS rhythm FROM ${joined} WHERE ${late}
       ORDER BY s.last + s.rhythm, m.name, r.resource_id LIMIT ${MOST_LISTED}`,
    ),
    db.all(
      `SELECT ${names}, s.gaps AS gaps, s.gap_start AS gap_start, s.gap_end AS gap_end, s.rhythm AS rhythm
       FROM ${joined} WHERE s.gaps > 0 AND s.gap_end > ${now - DAY}
       ORDER BY s.gap_end DESC, m.name, r.resource_id LIMIT ${MOST_LISTED}`,
    ),
  ]);
  const total = (name: string) => Number(totals[0]?.[name] ?? 0);
  return {
    kind: db.kind,
    bytes: await db.bytes(),
    meters: total('meters'),
    resources: total('resources'),
    series: total('series'),
    samples: total('samples'),
    first: numberOrNull(totals[0]?.['first']),
    last: numberOrNull(totals[0]?.['last']),
    agents: agents.map((row) => ({
      agent: String(row['agent']),
      source: String(row['source']),
      ...hearingOf(row, now),
    })),
    lateTotal: total('late'),
    late: overdue.map((row) => ({
      meter: String(row['meter']),
      resourceId: String(row['resource_id']),
      last: Number(row['last']),
      interval: Number(row['rhythm']),
    })),
    gapsTotal: total('gaps'),
    gaps: gaps.map((row) => ({
      meter: String(row['meter']),
      resourceId: String(row['resource_id']),
      gaps: Number(row['gaps']),
      start: Number(row['gap_start']),
      end: Number(row['gap_end']),
      interval: Number(row['rhythm']),
    })),
  };
}
