/** What the store needs of a database, SQLite or PostgreSQL. What both say in the same SQL is not here. */
import type { Rhythm } from './rhythm.ts';

export type SqlValue = string | number | bigint | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A row that many samples share, found by its key: a hash of what it says. */
export interface SharedRow {
  readonly key: Buffer;
  readonly values: readonly (string | null)[];
}

export const sharedTables = {
  meters: ['name', 'type', 'unit'],
  resources: ['resource_id', 'project_id', 'project_name', 'user_id', 'user_name', 'source'],
  metadata: ['body'],
} as const;
export type SharedTable = keyof typeof sharedTables;

export interface SampleLine {
  readonly id: Buffer;
  readonly meter: number;
  readonly resource: number;
  readonly metadata: number;
  readonly time: number;
  readonly volume: number | bigint;
}

/** What is known about a meter of a resource. */
export interface SeriesState extends Rhythm {
  readonly meter: number;
  readonly resource: number;
  readonly samples: number;
  /** Of the last sample. */
  readonly metadata: number;
}

/** From when on the samples of a series carry which metadata. */
export interface MetadataChange {
  readonly meter: number;
  readonly resource: number;
  readonly since: number;
  readonly metadata: number;
}

export interface AgentState extends Rhythm {
  readonly agent: string;
  readonly source: string;
  readonly samples: number;
}

/** What is about to be written, and today. */
interface WrittenLines {
  readonly times: readonly number[];
  readonly day: number;
}

/** One transaction. */
export interface Writing {
  /** Which ids were not seen on this or the day before, nor twice in the list; from now on they are. */
  admit(ids: readonly Buffer[], day: number): Promise<readonly boolean[]>;
  /** Which of the lines, admitted on this day, are in the store now that were not before. */
  insert(lines: readonly SampleLine[], day: number): Promise<readonly boolean[]>;
  /** Those that exist, in any order. */
  series(keys: readonly { readonly meter: number; readonly resource: number }[]): Promise<readonly SeriesState[]>;
  putSeries(states: readonly SeriesState[], changes: readonly MetadataChange[]): Promise<void>;
  agents(keys: readonly { readonly agent: string; readonly source: string }[]): Promise<readonly AgentState[]>;
  putAgents(states: readonly AgentState[]): Promise<void>;
}

/** Part of the samples, by time: what is removed in one go. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** Samples from `start` to before `end`: of these meters and resources, or of any. */
export interface Choice extends Chunk {
  readonly meters: readonly number[] | undefined;
  readonly resources: readonly number[] | undefined;
}

/** Called with each series' samples of some time in their order. */
export type Visit = (meter: number, resource: number, time: number, volume: number | bigint) => void;

export interface LinePage {
  readonly limit: number;
  /** The last line of the page before. */
  readonly after: Pick<SampleLine, 'time' | 'meter' | 'resource' | 'id'> | undefined;
  readonly ascending: boolean;
}

export interface Database {
  readonly kind: 'sqlite' | 'postgresql';
  /** Text within text, whatever the case: both are SQL. */
  contains(column: string, parameter: string): string;
  /** `$1` and so on stand for the values. */
  all(sql: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Ids of the rows, made where they are new; they count as used on that day. */
  share(table: SharedTable, rows: readonly SharedRow[], day: number): Promise<readonly number[]>;
  write<T>(lines: WrittenLines, work: (writing: Writing) => Promise<T>): Promise<T>;
  /** Visits all of the choice. */
  scan(choice: Choice, visit: Visit): Promise<void>;
  /** By time, meter, resource and id. */
  lines(choice: Choice, page: LinePage): Promise<readonly SampleLine[]>;
  /** All that have samples in the span, the oldest first. */
  chunks(start: number, end: number): AsyncIterable<Chunk>;
  /** Bytes in use. */
  bytes(): Promise<number>;
  /** Removes the samples of a chunk before a moment, and takes them off their series. Resolves to their number. */
  remove(chunk: Chunk, before: number): Promise<number>;
  /** Puts together what came in small pieces, of times before this moment. */
  tidy(before: number): Promise<void>;
  /** Forgets ids and shared rows that were last seen before these days, and series without samples. */
  forget(days: { readonly ids: number; readonly shared: number }): Promise<void>;
  close(): Promise<void>;
}

/** The order of a page. */
export function compareByTime(a: Omit<SampleLine, 'volume' | 'metadata'>, b: typeof a): number {
  return a.time - b.time || a.meter - b.meter || a.resource - b.resource || a.id.compare(b.id);
}

export const DAY = 86_400_000_000;
export const dayOf = (time: number) => Math.floor(time / DAY);
