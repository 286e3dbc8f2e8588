/** Questions about samples themselves: which there are, and what they come to. */
import type { Choice, Database, LinePage, SampleLine, SharedTable, SqlRow } from './database.ts';
import { idBytes, idText } from './message-id.ts';
import { ownerOf, textOrNull, typeOf } from './rows.ts';
import { aggregation, type SeriesSums } from './statistics.ts';
import type { Page, PageRequest, Position, SampleFilter, Store, StoredSample } from './store.ts';
import { Values } from './values.ts';

/** Years 1 to 9999. */
const FIRST = -62_135_596_800_000_000;
const LAST = 253_402_300_800_000_000;
/** Ids in one statement. */
const MOST_IDS = 500;
const FEW_IDS = 20;

export function createSampleReader(db: Database): Pick<Store, 'samples' | 'statistics'> {
  return {
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
            meter,
            type: typeOf(kind),
            unit: String(kind['unit']),
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
