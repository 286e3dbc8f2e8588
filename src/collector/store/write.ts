/** How a batch gets into the store, in any database. */
import { hash } from 'node:crypto';
import type { SampleRecord } from '../record.ts';
import type {
  AgentState,
  Database,
  MetadataChange,
  SampleLine,
  SeriesState,
  SharedRow,
  SharedTable,
  Writing,
} from './database.ts';
import { idBytes } from './message-id.ts';
import { beaten, begun } from './rhythm.ts';
import type { Arrival, Written } from './store.ts';

/** Shared rows whose ids are remembered; those of tomorrow are looked up anew, so that they count as used then. */
const MOST_KNOWN = 200_000;

export interface Writer {
  write(records: readonly SampleRecord[], arrivals: readonly Arrival[], today: number): Promise<Written>;
}

export function createWriter(db: Database): Writer {
  const known: Record<SharedTable, Map<string, number>> = {
    meters: new Map(),
    resources: new Map(),
    metadata: new Map(),
  };
  let knownDay = -1;

  /** The id of what each record says in this respect. */
  async function shared(
    table: SharedTable,
    records: readonly SampleRecord[],
    valuesOf: (record: SampleRecord) => readonly (string | null)[],
    day: number,
  ): Promise<readonly number[]> {
    const ids = known[table];
    if (ids.size > MOST_KNOWN) ids.clear();
    // Hashes: the texts may be long, and parts of messages that would stay with them.
    const keys = records.map((record) => sharedKey(valuesOf(record)));
    const unknown = new Map<string, SharedRow>();
    records.forEach((record, index) => {
      const key = keys[index] ?? '';
      if (!ids.has(key) && !unknown.has(key))
        unknown.set(key, { key: Buffer.from(key, 'hex'), values: valuesOf(record) });
    });
    if (unknown.size > 0) {
      const made = await db.share(table, [...unknown.values()], day);
      [...unknown.keys()].forEach((key, index) => {
        ids.set(key, made[index] ?? 0);
      });
    }
    return keys.map((key) => ids.get(key) ?? 0);
  }

  return {
    async write(records, arrivals, today) {
      if (today !== knownDay) {
        for (const ids of Object.values(known)) ids.clear();
        knownDay = today;
      }
      const meters = await shared('meters', records, ({ meter, type, unit }) => [meter, type, unit], today);
      const resources = await shared('resources', records, ownerOf, today);
      const metadata = await shared('metadata', records, (record) => [record.metadata], today);
      const lines = records.map((record, index) => ({
        id: idBytes(record.id),
        meter: meters[index] ?? 0,
        resource: resources[index] ?? 0,
        metadata: metadata[index] ?? 0,
        time: record.time,
        volume: record.volume,
      }));
      return db.write({ times: records.map(({ time }) => time), day: today }, (writing) =>
        put(writing, lines, arrivals, today),
      );
    },
  };
}

function ownerOf(record: SampleRecord): readonly (string | null)[] {
  const { resourceId, projectId, projectName, userId, userName, source } = record;
  return [resourceId, projectId, projectName, userId, userName, source];
}

/** In hexadecimal. */
export function sharedKey(values: readonly (string | null)[]): string {
  const text = values.length === 1 ? String(values[0]) : JSON.stringify(values);
  return hash('sha256', text, 'hex').slice(0, 32);
}

async function put(
  writing: Writing,
  lines: readonly SampleLine[],
  arrivals: readonly Arrival[],
  today: number,
): Promise<Written> {
  const admitted = await writing.admit(
    lines.map(({ id }) => id),
    today,
  );
  const fresh = lines.filter((_, index) => admitted[index]);
  const inserted = await writing.insert(fresh, today);
  const stored = fresh.filter((_, index) => inserted[index]);
  await putSeries(writing, stored);
  await putAgents(writing, arrivals);
  return { stored: stored.length, duplicates: lines.length - stored.length };
}

async function putSeries(writing: Writing, lines: readonly SampleLine[]): Promise<void> {
  const byKey = new Map<string, SampleLine[]>();
  for (const line of lines) {
    const key = `${line.meter} ${line.resource}`;
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, [line]);
    else group.push(line);
  }
  const groups = [...byKey.values()];
  const firsts = groups.flatMap(([line]) => (line === undefined ? [] : [line]));
  const before = new Map((await writing.series(firsts)).map((state) => [`${state.meter} ${state.resource}`, state]));
  const states: SeriesState[] = [];
  const changes: MetadataChange[] = [];
  for (const [key, group] of byKey) {
    let state = before.get(key);
    for (const line of group.sort((a, b) => a.time - b.time)) {
      const { meter, resource, metadata, time } = line;
      const latest = state === undefined || time > state.last;
      if (state === undefined || (latest && metadata !== state.metadata))
        changes.push({ meter, resource, since: time, metadata });
      state = {
        meter,
        resource,
        ...(state === undefined ? begun(time) : beaten(state, time)),
        samples: (state?.samples ?? 0) + 1,
        metadata: state === undefined || latest ? metadata : state.metadata,
      };
    }
    if (state !== undefined) states.push(state);
  }
  await writing.putSeries(states, changes);
}

async function putAgents(writing: Writing, arrivals: readonly Arrival[]): Promise<void> {
  const states = new Map<string, AgentState>();
  const keyOfAgent = ({ agent, source }: { agent: string; source: string }) => JSON.stringify([agent, source]);
  const unique = new Map(arrivals.map((arrival) => [keyOfAgent(arrival), arrival]));
  for (const state of await writing.agents([...unique.values()])) states.set(keyOfAgent(state), state);
  for (const arrival of [...arrivals].sort((a, b) => a.at - b.at)) {
    const key = keyOfAgent(arrival);
    const { agent, source, at, samples } = arrival;
    const state = states.get(key);
    states.set(key, {
      agent,
      source,
      ...(state === undefined ? begun(at) : sameRound(state, at) ? { ...state, last: at } : beaten(state, at)),
      samples: (state?.samples ?? 0) + samples,
    });
  }
  await writing.putAgents([...states.values()].sort((a, b) => (keyOfAgent(a) < keyOfAgent(b) ? -1 : 1)));
}

/** An agent sends what it polls at a time in many messages: the pauses between these say nothing. */
const ROUND = 2_000_000;
const sameRound = ({ last }: AgentState, at: number) => at - last < ROUND;
