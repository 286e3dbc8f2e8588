/** The questions to the store, in the SQL that both databases speak. */
import type { Database, SqlRow } from './database.ts';
import { createSampleReader } from './read-samples.ts';
import { readStatus } from './read-status.ts';
import { lateCondition } from './rhythm.ts';
import { hearingOf, meterOf, numberOrNull, ownerOf } from './rows.ts';
import type { MetadataStateRow, Page, Position, ResourceDetailRow, ResourceRow, Store } from './store.ts';
import { Values } from './values.ts';

type Readings = Pick<Store, 'meters' | 'resources' | 'resource' | 'samples' | 'statistics' | 'status'>;

export function createReader(db: Database): Readings {
  return {
    async meters(filter, page, now) {
      const values = new Values();
      const where = ['1 = 1'];
      if (filter.search !== undefined) where.push(db.contains('m.name', values.add(filter.search)));
      if (filter.resource !== undefined) where.push(`r.resource_id = ${values.add(filter.resource)}`);
      if (filter.project !== undefined) where.push(`r.project_id = ${values.add(filter.project)}`);
      if (page.after !== undefined) {
        const [name = '', id = 0] = page.after;
        where.push(`(m.name, m.id) > (${values.add(name)}, ${values.add(id)})`);
      }
      const rows = await db.all(
        `SELECT m.id AS id, m.name AS name, m.type AS type, m.unit AS unit,
           count(DISTINCT r.resource_id) AS resources, sum(s.samples) AS samples,
           min(s.first) AS first, max(s.last) AS last, min(s.rhythm) AS rhythm,
           sum(CASE WHEN ${lateCondition(String(now), 's')} THEN 1 ELSE 0 END) AS late
         FROM series AS s JOIN meters AS m ON m.id = s.meter JOIN resources AS r ON r.id = s.resource
         WHERE ${where.join(' AND ')}
         GROUP BY m.id, m.name, m.type, m.unit ORDER BY m.name, m.id LIMIT ${page.limit + 1}`,
        values.list,
      );
      return paged(
        rows,
        page.limit,
        (row) => ({
          ...meterOf(row),
          resources: Number(row['resources']),
          samples: Number(row['samples']),
          first: Number(row['first']),
          last: Number(row['last']),
          interval: numberOrNull(row['rhythm']),
          late: Number(row['late']),
        }),
        (row) => [String(row['name']), Number(row['id'])],
      );
    },

    async resources(filter, page) {
      const values = new Values();
      const where = ['1 = 1'];
      if (filter.search !== undefined) {
        const parameter = values.add(filter.search);
        where.push(`(${db.contains('r.resource_id', parameter)} OR ${db.contains('b.body', parameter)})`);
      }
      if (filter.meter !== undefined) where.push(`m.name = ${values.add(filter.meter)}`);
      if (filter.project !== undefined) where.push(`r.project_id = ${values.add(filter.project)}`);
      if (page.after !== undefined) where.push(`r.resource_id > ${values.add(page.after[0] ?? '')}`);
      const rows = await db.all(
        `SELECT DISTINCT r.resource_id AS resource_id
         FROM series AS s JOIN resources AS r ON r.id = s.resource JOIN meters AS m ON m.id = s.meter
           JOIN metadata AS b ON b.id = s.metadata
         WHERE ${where.join(' AND ')} ORDER BY r.resource_id LIMIT ${page.limit + 1}`,
        values.list,
      );
      const ids = rows.slice(0, page.limit).map((row) => String(row['resource_id']));
      const found = await resourcesById(ids);
      const last = ids.at(-1);
      return {
        rows: ids.flatMap((id) => found.get(id) ?? []),
        next: rows.length > page.limit && last !== undefined ? [last] : undefined,
      };
    },

    async resource(id, now) {
      const resource = (await resourcesById([id])).get(id);
      if (resource === undefined) return undefined;
      const rows = await db.all(
        `SELECT m.id AS id, m.name AS name, m.type AS type, m.unit AS unit, s.samples AS samples, s.first AS first,
           s.last AS last, s.rhythm AS rhythm, s.gaps AS gaps
         FROM series AS s JOIN meters AS m ON m.id = s.meter JOIN resources AS r ON r.id = s.resource
         WHERE r.resource_id = $1 ORDER BY m.name, m.id`,
        [id],
      );
      const meters = rows.map((row) => ({ ...meterOf(row), ...hearingOf(row, now), gaps: Number(row['gaps']) }));
      return { ...resource, meters, history: await history(id) } satisfies ResourceDetailRow;
    },

    ...createSampleReader(db),
    status: (now) => readStatus(db, now),
  };

  /** As of the last sample of each. */
  async function resourcesById(ids: readonly string[]): Promise<Map<string, ResourceRow>> {
    const found = new Map<string, ResourceRow>();
    if (ids.length === 0) return found;
    const values = new Values();
    const places = ids.map((id) => values.add(id)).join(', ');
    const rows = await db.all(
      `SELECT r.resource_id AS resource_id, r.project_id AS project_id, r.project_name AS project_name,
         r.user_id AS user_id, r.user_name AS user_name, r.source AS source, m.name AS name,
         s.first AS first, s.last AS last, b.body AS body
       FROM resources AS r JOIN series AS s ON s.resource = r.id JOIN meters AS m ON m.id = s.meter
         JOIN metadata AS b ON b.id = s.metadata
       WHERE r.resource_id IN (${places}) ORDER BY s.last, m.name`,
      values.list,
    );
    for (const row of rows) {
      const id = String(row['resource_id']);
      const before = found.get(id);
      const [first, last] = [Number(row['first']), Number(row['last'])];
      found.set(id, {
        ...ownerOf(row),
        first: Math.min(first, before?.first ?? first),
        last,
        meters: [...new Set([...(before?.meters ?? []), String(row['name'])])].sort(),
        metadata: String(row['body']),
      });
    }
    return found;
  }

  /** Changes of its meters, those to the same metadata together. */
  async function history(id: string): Promise<readonly MetadataStateRow[]> {
    const rows = await db.all(
      `SELECT c.since AS since, c.metadata AS metadata, m.name AS name, b.body AS body
       FROM metadata_changes AS c JOIN resources AS r ON r.id = c.resource JOIN meters AS m ON m.id = c.meter
         JOIN metadata AS b ON b.id = c.metadata
       WHERE r.resource_id = $1 ORDER BY c.since, c.metadata, m.name`,
      [id],
    );
    const states: { since: number; meters: Set<string>; metadata: string; id: number }[] = [];
    /** The state that each meter is in. */
    const current = new Map<string, (typeof states)[number]>();
    for (const row of rows) {
      const [meter, metadata] = [String(row['name']), Number(row['metadata'])];
      // Others may have come to it before; a meter that left it and came back begins it anew.
      let state = states.findLast((one) => one.id === metadata);
      if (state === undefined || (state.meters.has(meter) && current.get(meter) !== state)) {
        state = { since: Number(row['since']), meters: new Set(), metadata: String(row['body']), id: metadata };
        states.push(state);
      }
      state.meters.add(meter);
      current.set(meter, state);
    }
    return states.map(({ since, meters, metadata }) => ({ since, meters: [...meters].sort(), metadata }));
  }
}

function paged<T>(
  rows: readonly SqlRow[],
  limit: number,
  toItem: (row: SqlRow) => T,
  toPosition: (row: SqlRow) => Position,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { rows: shown.map(toItem), next: rows.length > limit && last !== undefined ? toPosition(last) : undefined };
}
