/** Samples as blocks in PostgreSQL. */
import { type Block, compareLines, countBlock, packBlock, readBlock, readLines } from './block.ts';
import {
  type Choice,
  compareByTime,
  type LinePage,
  type SampleLine,
  type SqlRow,
  type SqlValue,
  type Visit,
} from './database.ts';
import { numbers, type Query } from './postgresql-connection.ts';
import { BUCKET } from './postgresql-schema.ts';

/** Samples in a block: with this many, four of them fill a page. */
const MOST_SAMPLES = 64;
/** A block with fewer is small, and so many of these are put together at a time. */
const FEW_SAMPLES = MOST_SAMPLES / 2;
const JOINED = 2000;
/** Buckets that one statement of a scan reads. */
const SCANNED = 12;

const bucketOf = (time: number) => Math.floor(time / BUCKET);
const middle = (bucket: number) => bucket * BUCKET + BUCKET / 2;

/** Adds lines that were admitted on a day. */
export async function insertBlocks(query: Query, lines: readonly SampleLine[], day: number): Promise<void> {
  const rows = [...groupsOf(lines)].flatMap(([, group]) => pieces(group.sort(compareLines)));
  if (rows.length === 0) return;
  const column = (pick: (piece: Piece) => number) => numbers(rows.map(pick));
  const blocks = rows.map(({ lines: piece, bucket }) => packBlock(piece, middle(bucket)));
  await query(
    `INSERT INTO blocks (written, bucket, meter, low, high, first, last, samples, series, body, ids)
     SELECT $1::integer, * FROM unnest($2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[],
       $7::integer[], $8::smallint[], $9::bytea[], $10::bytea[], $11::bytea[])`,
    [
      day,
      column(({ bucket }) => bucket),
      column(({ lines: [line] }) => line?.meter ?? 0),
      column(({ lines: piece }) => piece[0]?.resource ?? 0),
      column(({ lines: piece }) => piece.at(-1)?.resource ?? 0),
      column(({ lines: piece, bucket }) => Math.min(...piece.map(({ time }) => time)) - middle(bucket)),
      column(({ lines: piece, bucket }) => Math.max(...piece.map(({ time }) => time)) - middle(bucket)),
      column(({ lines: piece }) => piece.length),
      blocks.map(({ series }) => series),
      blocks.map(({ body }) => body),
      blocks.map(({ ids }) => ids),
    ],
  );
}

interface Piece {
  readonly bucket: number;
  readonly lines: readonly SampleLine[];
}

/** By bucket and meter. */
function groupsOf(lines: readonly SampleLine[]): Map<string, SampleLine[]> {
  const groups = new Map<string, SampleLine[]>();
  for (const line of lines) {
    const key = `${bucketOf(line.time)} ${line.meter}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [line]);
    else group.push(line);
  }
  return groups;
}

/** Cuts the lines of a bucket into pieces of about the same length. */
function pieces(lines: readonly SampleLine[]): Piece[] {
  const count = Math.ceil(lines.length / MOST_SAMPLES);
  const bucket = bucketOf(lines[0]?.time ?? 0);
  return Array.from({ length: count }, (_, index) => ({
    bucket,
    lines: lines.slice(Math.floor((lines.length * index) / count), Math.floor((lines.length * (index + 1)) / count)),
  }));
}

/** Marks the buckets of these lines as ones that may have small blocks. */
export async function loosen(query: Query, lines: readonly SampleLine[]): Promise<void> {
  const buckets = new Set(lines.map(({ time }) => bucketOf(time)));
  await query('INSERT INTO loose (bucket) SELECT * FROM unnest($1::integer[]) ON CONFLICT DO NOTHING', [
    numbers(buckets),
  ]);
}

/** Which of the lines are in blocks that were written before a day. */
export async function inOldBlocks(
  query: Query,
  lines: readonly SampleLine[],
  day: number,
): Promise<readonly boolean[]> {
  const rows = await query(
    `SELECT bucket, meter, series, body, ids FROM blocks
     WHERE bucket = ANY ($1::integer[]) AND meter = ANY ($2::integer[]) AND written < $3`,
    [numbers(new Set(lines.map(({ time }) => bucketOf(time)))), numbers(new Set(lines.map(({ meter }) => meter))), day],
  );
  if (rows.length === 0) return lines.map(() => false);
  const keyOf = ({ meter, resource, time, id }: SampleLine) => `${meter} ${resource} ${time} ${id.toString('hex')}`;
  const found = new Set(rows.flatMap(linesOf).map(keyOf));
  return lines.map((line) => found.has(keyOf(line)));
}

export async function scanBlocks(query: Query, choice: Choice, visit: Visit): Promise<void> {
  const { where, values } = chosen(choice);
  const [from, to] = [bucketOf(choice.start), bucketOf(choice.end - 1)];
  for (let at = from; at <= to; at += SCANNED) {
    const [next] = await query('SELECT min(bucket) AS bucket FROM blocks WHERE bucket >= $1 AND bucket <= $2', [
      at,
      to,
    ]);
    if (typeof next?.['bucket'] !== 'number') return;
    at = next['bucket'];
    const buckets = Array.from({ length: Math.min(SCANNED, to - at + 1) }, (_, index) => at + index);
    const rows = await query(
      `SELECT bucket, meter, series, body FROM blocks WHERE ${where} AND bucket = ANY ($${values.length + 1}::integer[])
       ORDER BY bucket, first`,
      [...values, numbers(buckets)],
    );
    for (let start = 0; start < rows.length; ) {
      const bucket = rows[start]?.['bucket'];
      let end = start + 1;
      while (end < rows.length && rows[end]?.['bucket'] === bucket) end += 1;
      scanBucket(rows.slice(start, end), choice, visit);
      start = end;
    }
  }
}

interface Series {
  readonly meter: number;
  readonly resource: number;
  readonly readings: { time: number; volume: number | bigint }[];
  sorted: boolean;
}

/** Blocks of one bucket: each has some samples of its series. */
function scanBucket(rows: readonly SqlRow[], { start, end, resources }: Choice, visit: Visit): void {
  const wanted = resources && new Set(resources);
  const byMeter = new Map<number, Map<number, Series>>();
  for (const row of rows) {
    const meter = Number(row['meter']);
    const ofMeter = byMeter.get(meter) ?? new Map<number, Series>();
    byMeter.set(meter, ofMeter);
    readBlock(blockOf(row), middle(Number(row['bucket'])), ({ resource, time, volume }) => {
      if (time < start || time >= end || (wanted !== undefined && !wanted.has(resource))) return;
      let series = ofMeter.get(resource);
      if (series === undefined) {
        series = { meter, resource, readings: [], sorted: true };
        ofMeter.set(resource, series);
      }
      series.sorted &&= time >= (series.readings.at(-1)?.time ?? time);
      series.readings.push({ time, volume });
    });
  }
  for (const ofMeter of byMeter.values())
    for (const { meter, resource, readings, sorted } of ofMeter.values()) {
      if (!sorted) readings.sort((a, b) => a.time - b.time);
      for (const { time, volume } of readings) visit(meter, resource, time, volume);
    }
}

/**
 * A page. Blocks are read in the order of their latest (or earliest) times until those that are left cannot have what
 * comes before what was found.
 */
export async function pageOfLines(query: Query, choice: Choice, page: LinePage): Promise<readonly SampleLine[]> {
  const { limit, after, ascending } = page;
  const { where, values } = chosen(choice);
  const start = ascending ? Math.max(choice.start, after?.time ?? choice.start) : choice.start;
  const end = ascending ? choice.end : Math.min(choice.end, (after?.time ?? choice.end - 1) + 1);
  const wanted = choice.resources && new Set(choice.resources);
  const direction = ascending ? 1 : -1;
  const order = ascending ? 'bucket, first' : 'bucket DESC, last DESC';
  const n = values.length;
  for (let blocks = Math.ceil(limit / MOST_SAMPLES) * 2 + 16; ; blocks *= 4) {
    const rows = await query(
      `SELECT bucket, meter, first, last, series, body, ids FROM blocks
       WHERE ${where} AND bucket >= $${n + 1} AND bucket <= $${n + 2} ORDER BY ${order} LIMIT ${blocks}`,
      [...values, bucketOf(start), bucketOf(end - 1)],
    );
    const lines = rows
      .flatMap(linesOf)
      .filter(
        (line) =>
          line.time >= start &&
          line.time < end &&
          (wanted === undefined || wanted.has(line.resource)) &&
          (after === undefined || compareByTime(line, after) * direction > 0),
      )
      .sort((a, b) => compareByTime(a, b) * direction);
    const last = rows.at(-1);
    if (last === undefined || rows.length < blocks) return lines.slice(0, limit);
    const edge = middle(Number(last['bucket'])) + Number(last[ascending ? 'first' : 'last']);
    const sure = lines.findIndex(({ time }) => (time - edge) * direction >= 0);
    if (sure === -1 ? lines.length >= limit : sure >= limit) return lines.slice(0, limit);
  }
}

/** A condition on meters and resources. */
function chosen({ meters, resources }: Choice): { where: string; values: readonly SqlValue[] } {
  const parts = ['true'];
  const values: SqlValue[] = [];
  if (meters !== undefined) parts.push(`meter = ANY ($${values.push(numbers(meters))}::integer[])`);
  if (resources !== undefined) {
    const lowest = resources.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
    const highest = resources.reduce((a, b) => Math.max(a, b), 0);
    parts.push(`low <= $${values.push(highest)}`, `high >= $${values.push(lowest)}`);
  }
  return { where: parts.join(' AND '), values };
}

/** Takes samples of times from `start` to before `end` away. Resolves to their number in each series. */
export async function removeBlocks(query: Query, start: number, end: number): Promise<readonly SeriesCount[]> {
  const counts = seriesCounts();
  const [from, to] = [bucketOf(start), bucketOf(end - 1)];
  for (let bucket = from; bucket <= to; bucket++) {
    const whole = (bucket + 1) * BUCKET <= end;
    if (whole) {
      const rows = await query('SELECT meter, series FROM blocks WHERE bucket = $1', [bucket]);
      for (const row of rows)
        countBlock(bytesOf(row['series']), (resource, samples) => counts.add(Number(row['meter']), resource, samples));
      await query('DELETE FROM blocks WHERE bucket = $1', [bucket]);
    } else {
      const rows = await query(
        'DELETE FROM blocks WHERE bucket = $1 AND first < $2 RETURNING bucket, meter, written, series, body, ids',
        [bucket, end - middle(bucket)],
      );
      const written = rows.reduce((day, row) => Math.min(day, Number(row['written'])), Number.MAX_SAFE_INTEGER);
      const left: SampleLine[] = [];
      for (const line of rows.flatMap(linesOf)) {
        if (line.time >= end) left.push(line);
        else counts.add(line.meter, line.resource, 1);
      }
      await insertBlocks(query, left, written);
    }
  }
  return counts.all();
}

/** How many samples each series has in a partition. */
export async function countBlocks(query: Query, table: string): Promise<readonly SeriesCount[]> {
  const counts = seriesCounts();
  const buckets = await query(`SELECT DISTINCT bucket FROM ${table}`);
  for (const { bucket = null } of buckets) {
    const rows = await query(`SELECT meter, series FROM ${table} WHERE bucket = $1`, [bucket]);
    for (const row of rows)
      countBlock(bytesOf(row['series']), (resource, samples) => counts.add(Number(row['meter']), resource, samples));
  }
  return counts.all();
}

export interface SeriesCount {
  readonly meter: number;
  readonly resource: number;
  readonly samples: number;
}

function seriesCounts() {
  const byMeter = new Map<number, Map<number, number>>();
  return {
    add(meter: number, resource: number, samples: number): void {
      const ofMeter = byMeter.get(meter) ?? new Map<number, number>();
      byMeter.set(meter, ofMeter);
      ofMeter.set(resource, (ofMeter.get(resource) ?? 0) + samples);
    },
    all: (): readonly SeriesCount[] =>
      [...byMeter].flatMap(([meter, ofMeter]) =>
        [...ofMeter].map(([resource, samples]) => ({ meter, resource, samples })),
      ),
  };
}

/** Buckets before a moment that may have small blocks. */
export async function looseBuckets(query: Query, before: number): Promise<readonly number[]> {
  const rows = await query('SELECT bucket FROM loose WHERE bucket < $1 ORDER BY bucket', [bucketOf(before)]);
  return rows.map(({ bucket }) => Number(bucket));
}

/** Makes few blocks of the many small ones of a bucket. */
export async function tidyBucket(query: Query, bucket: number): Promise<void> {
  const meters = await query(
    `SELECT meter, min(written) AS written FROM blocks WHERE bucket = $1 AND samples < ${FEW_SAMPLES} GROUP BY meter
     HAVING count(*) > ceil(sum(samples) / ${MOST_SAMPLES}.0) * 1.5`,
    [bucket],
  );
  for (const { meter = null, written } of meters) {
    for (let more = true; more; ) {
      const rows = await query(
        `DELETE FROM blocks WHERE bucket = $1 AND ctid = ANY (ARRAY(
           SELECT ctid FROM blocks WHERE bucket = $1 AND meter = $2 AND samples < ${FEW_SAMPLES}
           ORDER BY low LIMIT ${JOINED}))
         RETURNING bucket, meter, series, body, ids`,
        [bucket, meter],
      );
      await insertBlocks(query, rows.flatMap(linesOf), Number(written));
      more = rows.length === JOINED;
    }
  }
  await query('DELETE FROM loose WHERE bucket = $1', [bucket]);
}

function linesOf(row: SqlRow): readonly SampleLine[] {
  return readLines({ ...blockOf(row), ids: bytesOf(row['ids']) }, Number(row['meter']), middle(Number(row['bucket'])));
}

function blockOf(row: SqlRow): Omit<Block, 'ids'> {
  return { series: bytesOf(row['series']), body: bytesOf(row['body']) };
}

function bytesOf(value: SqlValue | undefined): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.alloc(0);
}
