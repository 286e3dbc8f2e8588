/**
 * Where samples are kept. Two kinds of it, SQLite and PostgreSQL, behave alike: test/collector/store.test.ts is for
 * both.
 */
import type { SampleType } from '../../sample.ts';
import type { SampleRecord } from '../record.ts';

/** Who sent how much. */
export interface Arrival {
  /** `publisher_id` of the message. */
  readonly agent: string;
  readonly source: string;
  /** Microseconds since 1970: when it came. */
  readonly at: number;
  readonly samples: number;
}

export interface Written {
  readonly stored: number;
  readonly duplicates: number;
}

/** A span of time in microseconds since 1970: from `start` to before `end`. */
interface Span {
  readonly start: number | undefined;
  readonly end: number | undefined;
}

export interface SampleFilter extends Span {
  readonly meter?: string | undefined;
  readonly resource?: string | undefined;
  readonly project?: string | undefined;
  readonly user?: string | undefined;
  readonly source?: string | undefined;
}

/** Where a page begins, as the store wrote it. */
export type Position = readonly (string | number)[];

export interface Page<T> {
  readonly rows: readonly T[];
  readonly next: Position | undefined;
}

export interface PageRequest {
  readonly limit: number;
  readonly after: Position | undefined;
}

interface NameFilter {
  readonly search?: string | undefined;
  readonly meter?: string | undefined;
  readonly resource?: string | undefined;
  readonly project?: string | undefined;
}

export interface MeterRow {
  readonly name: string;
  readonly type: SampleType;
  readonly unit: string;
  readonly resources: number;
  readonly samples: number;
  readonly first: number;
  readonly last: number;
  /** Microseconds between samples; null while that is not known. */
  readonly interval: number | null;
  readonly late: number;
}

export interface ResourceRow {
  readonly resourceId: string;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly userId: string | null;
  readonly userName: string | null;
  readonly source: string;
  readonly first: number;
  readonly last: number;
  readonly meters: readonly string[];
  /** JSON text. */
  readonly metadata: string;
}

interface ResourceMeterRow {
  readonly name: string;
  readonly type: SampleType;
  readonly unit: string;
  readonly samples: number;
  readonly first: number;
  readonly last: number;
  readonly interval: number | null;
  readonly late: boolean;
  readonly gaps: number;
}

/** From when on samples carried which metadata. */
export interface MetadataStateRow {
  readonly since: number;
  readonly meters: readonly string[];
  readonly metadata: string;
}

export interface ResourceDetailRow extends Omit<ResourceRow, 'meters'> {
  readonly meters: readonly ResourceMeterRow[];
  readonly history: readonly MetadataStateRow[];
}

export interface StatisticsRequest extends SampleFilter {
  readonly meter: string;
  /** Microseconds; undefined makes one period of everything. */
  readonly period: number | undefined;
  readonly group: 'resource' | 'project' | undefined;
}

export interface StatisticsRow {
  readonly resourceId: string | null;
  readonly projectId: string | null;
  readonly unit: string;
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly min: number | bigint;
  readonly max: number | bigint;
  readonly sum: number | bigint;
  readonly avg: number;
  readonly first: number;
  readonly last: number;
  /** Growth per second. */
  readonly rate: number | null;
  readonly resets: number;
}

interface AgentRow {
  readonly agent: string;
  readonly source: string;
  readonly first: number;
  readonly last: number;
  readonly interval: number | null;
  readonly late: boolean;
  readonly samples: number;
}

interface OverdueRow {
  readonly meter: string;
  readonly resourceId: string;
  readonly last: number;
  readonly interval: number;
}

interface GapRow {
  readonly meter: string;
  readonly resourceId: string;
  readonly gaps: number;
  readonly start: number;
  readonly end: number;
  readonly interval: number;
}

export interface StoreStatus {
  readonly kind: 'sqlite' | 'postgresql';
  readonly bytes: number;
  readonly meters: number;
  readonly resources: number;
  readonly series: number;
  readonly samples: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly agents: readonly AgentRow[];
  readonly lateTotal: number;
  readonly late: readonly OverdueRow[];
  readonly gapsTotal: number;
  readonly gaps: readonly GapRow[];
}

interface Retention {
  /** Samples before this moment go, in microseconds since 1970. */
  readonly before: number | undefined;
  /** The oldest go until no more than this is in use. */
  readonly maxBytes: number | undefined;
  /** Microseconds since 1970. */
  readonly now: number;
}

/**
 * Every method may be called at any time, several at once, until `close`. What they reject with is a `ServiceError`
 * where the same call may succeed later, as when the database is away.
 */
export interface Store {
  readonly kind: 'sqlite' | 'postgresql';
  /**
   * Stores a batch as a whole, or rejects and stores nothing of it. A sample is a duplicate where one with its id was
   * written today or the day before, or where the very same one still is in the store.
   */
  write(records: readonly SampleRecord[], arrivals: readonly Arrival[]): Promise<Written>;
  meters(filter: NameFilter, page: PageRequest, now: number): Promise<Page<MeterRow>>;
  resources(filter: NameFilter, page: PageRequest): Promise<Page<ResourceRow>>;
  /** Undefined where no sample of it ever came. */
  resource(id: string, now: number): Promise<ResourceDetailRow | undefined>;
  /** By time, the newest first unless `ascending`. */
  samples(filter: SampleFilter, page: PageRequest, ascending: boolean): Promise<Page<StoredSample>>;
  /** By period, the oldest first. */
  statistics(request: StatisticsRequest, page: PageRequest): Promise<Page<StatisticsRow>>;
  status(now: number): Promise<StoreStatus>;
  /** Removes what is too old or too much; resolves to the number of samples that went. */
  expire(retention: Retention): Promise<number>;
  close(): Promise<void>;
}

export type StoredSample = SampleRecord;
