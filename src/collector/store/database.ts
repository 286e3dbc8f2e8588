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

/** One transaction. */
export interface Writing {
  /** Which ids were not seen on this or the day before, nor twice in the list; from now on they are. */
  admit(ids: readonly Buffer[], day: number): Promise<readonly boolean[]>;
  /** Which of the lines are in the table now that were not before. */
  insert(lines: readonly SampleLine[]): Promise<readonly boolean[]>;
  /** Those that exist, in any order. */
  series(keys: readonly { readonly meter: number; readonly resource: number }[]): Promise<readonly SeriesState[]>;
  putSeries(states: readonly SeriesState[], changes: readonly MetadataChange[]): Promise<void>;
  agents(keys: readonly { readonly agent: string; readonly source: string }[]): Promise<readonly AgentState[]>;
  putAgents(states: readonly AgentState[]): Promise<void>;
}

/** Part of the samples, by time: what can be read, or removed, in one go. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

export interface Database {
  readonly kind: 'sqlite' | 'postgresql';
  /** Columns of the samples `s` for {@link Database.volumeOf} and {@link Database.timeOf}. */
  readonly volumeColumns: string;
  readonly timeColumns: string;
  /** The time of the samples `s`, as an expression, and how those of one chunk are sorted by it soonest. */
  readonly timeSql: string;
  readonly timeOrder: string;
  timeOf(row: SqlRow): number;
  volumeOf(row: SqlRow): number | bigint;
  /** Text within text, whatever the case: both are SQL. */
  contains(column: string, parameter: string): string;
  /** `$1` and so on stand for the values. */
  all(sql: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Ids of the rows, made where they are new; they count as used on that day. */
  share(table: SharedTable, rows: readonly SharedRow[], day: number): Promise<readonly number[]>;
  write<T>(lines: { readonly times: readonly number[] }, work: (writing: Writing) => Promise<T>): Promise<T>;
  /** All that have samples in the span, in this order; short ones where all samples of a time are wanted, not few. */
  chunks(start: number, end: number, ascending: boolean, length?: 'short'): AsyncIterable<Chunk>;
  /** SQL for the samples `s` of a chunk between two moments. */
  within(chunk: Chunk, start: number, end: number): string;
  /** Bytes in use. */
  bytes(): Promise<number>;
  /** Removes the samples of a chunk before a moment, and takes them off their series. Resolves to their number. */
  remove(chunk: Chunk, before: number): Promise<number>;
  /** Forgets ids and shared rows that were last seen before these days, and series without samples. */
  forget(days: { readonly ids: number; readonly shared: number }): Promise<void>;
  close(): Promise<void>;
}

export const DAY = 86_400_000_000;
export const dayOf = (time: number) => Math.floor(time / DAY);
