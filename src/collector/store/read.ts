/** The questions to the store, in the SQL that both databases speak. */
import type { SampleType } from '../../sample.ts';
import {
  type Choice,
  DAY,
  type Database,
  type LinePage,
  type SampleLine,
  type SharedTable,
  type SqlRow,
  type SqlValue,
} from './database.ts';
import { idBytes, idText } from './message-id.ts';
import { isLate, lateCondition } from './rhythm.ts';
import { aggregation, type SeriesSums } from './statistics.ts';
import type {
  MetadataStateRow,
  Page,
  PageRequest,
  Position,
  ResourceDetailRow,
  ResourceRow,
  SampleFilter,
  Store,
  StoredSample,
  StoreStatus,
} from './store.ts';

/** Years 1 to 9999. */
const FIRST = -62_135_596_800_000_000;
const LAST = 253_402_300_800_000_000;
const MOST_LISTED = 100;
/** Ids in one statement. */
const MOST_IDS = 500;
const FEW_IDS = 20;

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
      const meters = rows.map((row) => {
        const [last, interval] = [Number(row['last']), numberOrNull(row['rhythm'])];
        return {
          ...meterOf(row),
          ...{ samples: Number(row['samples']), first: Number(row['first']), last, interval },
          ...{ late: isLate({ last, interval }, now), gaps: Number(row['gaps']) },
        };
      });
      return { ...resource, meters, history: await history(id) } satisfies ResourceDetailRow;
    },

    samples,

    async statistics(request, page) {
      const sums = aggregation(request);
      const choice = await choose(request);
      if (choice !== undefined) {
        const meters = await byId('meters', 'id, type, unit', choice.meters ?? []);
        const owners = await db.all(
          `SELECT DISTINCT r.id AS id, r.resource_id AS resource_id, r.project_id AS project_id
           FROM resources AS r JOIN series AS s ON s.resource = r.id JOIN meters AS m ON m.id = s.meter WHERE m.name = $1`,
          [request.meter],
        );
        const ownerById = new Map(owners.map((row) => [Number(row['id']), row]));
        const handles = new Map<number, Map<number, SeriesSums | undefined>>();
        const handleOf = (meter: number, resource: number): SeriesSums | undefined => {
          const [kind, owner] = [meters.get(meter), ownerById.get(resource)];
          // A series that began meanwhile.
          if (kind === undefined || owner === undefined) return undefined;
          return sums.series({
            ...{ meter, type: typeOf(kind), unit: String(kind['unit']) },
            resourceId: String(owner['resource_id']),
            projectId: textOrNull(owner['project_id']),
          });
        };
        await db.scan(choice, (meter, resource, time, volume) => {
          let ofMeter = handles.get(meter);
          if (ofMeter === undefined) {
            ofMeter = new Map();
            handles.set(meter, ofMeter);
          }
          let handle = ofMeter.get(resource);
          if (handle === undefined && !ofMeter.has(resource)) {
            handle = handleOf(meter, resource);
            ofMeter.set(resource, handle);
          }
          handle?.add(time, volume);
        });
      }
      const rows = sums.rows();
      const from = Number(page.after?.[0] ?? 0);
      const to = from + page.limit;
      return { rows: rows.slice(from, to), next: rows.length > to ? [to] : undefined };
    },

    status,
  };

  async function samples(filter: SampleFilter, page: PageRequest, ascending: boolean): Promise<Page<StoredSample>> {
    const choice = await choose(filter);
    if (choice === undefined) return { rows: [], next: undefined };
    const lines = await db.lines(choice, { limit: page.limit + 1, after: placeOf(page.after), ascending });
    const shown = lines.slice(0, page.limit);
    // What many of them share is read once.
    const [meters, resources, metadata] = await Promise.all([
      byId('meters', 'id, name, type, unit', idsOf(shown, 'meter')),
      byId(
        'resources',
        'id, resource_id, project_id, project_name, user_id, user_name, source',
        idsOf(shown, 'resource'),
      ),
      byId('metadata', 'id, body', idsOf(shown, 'metadata')),
    ]);
    const last = shown.at(-1);
    return {
      rows: shown.flatMap((line) => {
        const [meter, owner, body] = [
          meters.get(line.meter),
          resources.get(line.resource),
          metadata.get(line.metadata),
        ];
        // Removed meanwhile.
        if (meter === undefined || owner === undefined || body === undefined) return [];
        const { time, volume } = line;
        const kind = { meter: String(meter['name']), type: typeOf(meter), unit: String(meter['unit']) };
        return [{ id: idText(line.id), ...kind, volume, ...ownerOf(owner), time, metadata: String(body['body']) }];
      }),
      next:
        lines.length > page.limit && last !== undefined
          ? [last.time, last.meter, last.resource, idText(last.id)]
          : undefined,
    };
  }

  /** The choice of samples that a filter makes, as narrow as the series tell; undefined where there are none. */
  async function choose(filter: SampleFilter): Promise<Choice | undefined> {
    const [start, end] = bounds(filter);
    const values = new Values();
    const owners: string[] = [];
    for (const key of ['resource', 'project', 'user', 'source'] as const) {
      const value = filter[key];
      if (value !== undefined) owners.push(`r.${ownerColumns[key]} = ${values.add(value)}`);
    }
    const named = filter.meter === undefined ? [] : [`m.name = ${values.add(filter.meter)}`];
    if (owners.length === 0 && named.length === 0) return { start, end, meters: undefined, resources: undefined };
    const joined = `FROM series AS s JOIN meters AS m ON m.id = s.meter JOIN resources AS r ON r.id = s.resource
      WHERE ${[...owners, ...named].join(' AND ')}`;
    const meters = await db.all(
      `SELECT s.meter AS id, min(s.first) AS first, max(s.last) AS last ${joined} GROUP BY s.meter`,
      values.list,
    );
    const resources =
      owners.length === 0 ? undefined : await db.all(`SELECT DISTINCT s.resource AS id ${joined}`, values.list);
    const numbers = (rows: readonly SqlRow[], name: string) => rows.map((row) => Number(row[name]));
    const choice = {
      start: numbers(meters, 'first').reduce((a, b) => Math.min(a, b), end),
      end: numbers(meters, 'last').reduce((a, b) => Math.max(a, b), start) + 1,
      meters: numbers(meters, 'id'),
      resources: resources && numbers(resources, 'id'),
    };
    const span = { start: Math.max(start, choice.start), end: Math.min(end, choice.end) };
    return meters.length === 0 || span.start >= span.end ? undefined : { ...choice, ...span };
  }

  async function byId(
    table: SharedTable,
    columns: string,
    ids: readonly number[],
  ): Promise<ReadonlyMap<number, SqlRow>> {
    const found = new Map<number, SqlRow>();
    for (let at = 0; at < ids.length; at += MOST_IDS) {
      const values = new Values();
      const places = ids.slice(at, at + MOST_IDS).map((id) => values.add(id));
      // Always as many, so that it is the same statement.
      while (places.length < MOST_IDS && ids.length > FEW_IDS) places.push(values.add(null));
      const rows = await db.all(`SELECT ${columns} FROM ${table} WHERE id IN (${places.join(', ')})`, values.list);
      for (const row of rows) found.set(Number(row['id']), row);
    }
    return found;
  }

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

  async function status(now: number): Promise<StoreStatus> {
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
      ...{ meters: total('meters'), resources: total('resources'), series: total('series') },
      samples: total('samples'),
      first: numberOrNull(totals[0]?.['first']),
      last: numberOrNull(totals[0]?.['last']),
      agents: agents.map((row) => {
        const [last, interval] = [Number(row['last']), numberOrNull(row['rhythm'])];
        return {
          ...{
            agent: String(row['agent']),
            source: String(row['source']),
            first: Number(row['first']),
            last,
            interval,
          },
          ...{ late: isLate({ last, interval }, now), samples: Number(row['samples']) },
        };
      }),
      lateTotal: total('late'),
      late: overdue.map((row) => ({
        ...{ meter: String(row['meter']), resourceId: String(row['resource_id']) },
        ...{ last: Number(row['last']), interval: Number(row['rhythm']) },
      })),
      gapsTotal: total('gaps'),
      gaps: gaps.map((row) => ({
        ...{ meter: String(row['meter']), resourceId: String(row['resource_id']), gaps: Number(row['gaps']) },
        ...{ start: Number(row['gap_start']), end: Number(row['gap_end']), interval: Number(row['rhythm']) },
      })),
    };
  }
}

/** The values of a statement, in the order of their places. */
class Values {
  readonly list: SqlValue[] = [];

  /** Returns the value's place. */
  add(value: SqlValue): string {
    this.list.push(value);
    return `$${this.list.length}`;
  }
}

function bounds({ start, end }: SampleFilter): readonly [start: number, end: number] {
  return [start ?? FIRST, end ?? LAST];
}

const ownerColumns = { resource: 'resource_id', project: 'project_id', user: 'user_id', source: 'source' } as const;

function placeOf(after: Position | undefined): LinePage['after'] {
  if (after === undefined) return undefined;
  const [time = 0, meter = 0, resource = 0, id = ''] = after;
  return { time: Number(time), meter: Number(meter), resource: Number(resource), id: idBytes(String(id)) };
}

function idsOf(lines: readonly SampleLine[], field: 'meter' | 'resource' | 'metadata'): readonly number[] {
  return [...new Set(lines.map((line) => line[field]))];
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

const textOrNull = (value: SqlValue | undefined) => (value === null || value === undefined ? null : String(value));
const numberOrNull = (value: SqlValue | undefined) => (value === null || value === undefined ? null : Number(value));

function typeOf({ type }: SqlRow): SampleType {
  return type === 'delta' || type === 'cumulative' ? type : 'gauge';
}

function meterOf(row: SqlRow) {
  return { name: String(row['name']), type: typeOf(row), unit: String(row['unit']) };
}

function ownerOf(row: SqlRow) {
  return {
    resourceId: String(row['resource_id']),
    projectId: textOrNull(row['project_id']),
    projectName: textOrNull(row['project_name']),
    userId: textOrNull(row['user_id']),
    userName: textOrNull(row['user_name']),
    source: String(row['source']),
  };
}
