/**
 * Blocks: samples of one meter as bytes, sorted by resource and time, each field as what changed from the one before.
 * Three parts, so that a question takes only what it needs: which resources, when and how much, and the message ids.
 */
import {
  type Bytes,
  bytesOf,
  emptyBytes,
  putBytes,
  putCount,
  putDifference,
  putFloat,
  putLongDifference,
  takeBytes,
  takeCount,
  takeDifference,
  takeFloat,
  takeLongDifference,
  written,
} from './bytes.ts';
import type { SampleLine } from './database.ts';

export interface Block {
  /** Runs of a resource: its number less the one before, and how many samples it has. */
  readonly series: Buffer;
  readonly body: Buffer;
  readonly ids: Buffer;
}

/** The form of the body. A later one gets another number. */
const FORM = 1;
/** How volumes are written, in runs of a kind. */
const INTEGER = 0;
const FLOAT = 1;
/** A float that is a whole number. */
const WHOLE = 2;
/** Text: an integer that has more than 64 bits. */
const LONG = 3;

const UUID_LENGTH = 16;
const MOST_WHOLE = 2 ** 47;

/** The order of samples in a block, and of those of one meter on a page. */
export function compareLines(a: SampleLine, b: SampleLine): number {
  return a.resource - b.resource || a.time - b.time || a.id.compare(b.id);
}

/** `lines` are of one meter and sorted by {@link compareLines}; times count from `origin`. */
export function packBlock(lines: readonly SampleLine[], origin: number): Block {
  return { series: packSeries(lines), body: packBody(lines, origin), ids: packIds(lines) };
}

function packSeries(lines: readonly SampleLine[]): Buffer {
  const bytes = emptyBytes();
  let before = 0;
  for (let start = 0; start < lines.length; ) {
    const resource = lines[start]?.resource ?? 0;
    let end = start;
    while (lines[end]?.resource === resource) end += 1;
    putDifference(bytes, resource - before);
    putCount(bytes, end - start);
    before = resource;
    start = end;
  }
  return written(bytes);
}

function packBody(lines: readonly SampleLine[], origin: number): Buffer {
  const bytes = emptyBytes();
  putCount(bytes, FORM);
  const times = timeDifferences();
  let resource: number | undefined;
  for (const line of lines) {
    putDifference(bytes, times.toDifference(line.time - origin, line.resource !== resource));
    resource = line.resource;
  }
  let metadata = 0;
  for (const line of lines) {
    putDifference(bytes, line.metadata - metadata);
    metadata = line.metadata;
  }
  packVolumes(bytes, lines);
  return written(bytes);
}

function packVolumes(bytes: Bytes, lines: readonly SampleLine[]): void {
  for (let start = 0; start < lines.length; ) {
    const kind = kindOf(lines[start]);
    let end = start + 1;
    for (let line = lines[end]; line !== undefined && kindOf(line) === kind; line = lines[end]) end += 1;
    putCount(bytes, kind);
    putCount(bytes, end - start);
    start = end;
  }
  let before = 0n;
  for (const line of lines) {
    const { volume } = line;
    if (typeof volume === 'number') {
      if (kindOf(line) === WHOLE) putDifference(bytes, volume);
      else putFloat(bytes, volume);
    } else if (kindOf(line) === INTEGER) {
      putLongDifference(bytes, BigInt.asIntN(64, volume - before));
      before = volume;
    } else {
      const text = Buffer.from(String(volume), 'latin1');
      putCount(bytes, text.length);
      putBytes(bytes, text);
    }
  }
}

function kindOf(line: SampleLine | undefined): number {
  const volume = line?.volume ?? 0n;
  if (typeof volume === 'bigint') return BigInt.asIntN(64, volume) === volume ? INTEGER : LONG;
  return Number.isInteger(volume) && Math.abs(volume) < MOST_WHOLE && !Object.is(volume, -0) ? WHOLE : FLOAT;
}

function packIds(lines: readonly SampleLine[]): Buffer {
  const uuids = lines.every(({ id }) => id.length === UUID_LENGTH);
  const bytes = emptyBytes();
  putCount(bytes, uuids ? UUID_LENGTH : 0);
  for (const { id } of lines) {
    if (!uuids) putCount(bytes, id.length);
    putBytes(bytes, id);
  }
  return written(bytes);
}

/**
 * Of one resource, steps between samples are much alike, and so are those of its neighbours: what is written is how
 * they differ.
 */
function timeDifferences() {
  let first = 0;
  let last = 0;
  let step = 0;
  const begin = (time: number) => {
    first = time;
    last = time;
  };
  const go = (time: number) => {
    step = time - last;
    last = time;
  };
  return {
    toDifference(time: number, another: boolean): number {
      const difference = another ? time - first : time - last - step;
      if (another) begin(time);
      else go(time);
      return difference;
    },
    toTime(difference: number, another: boolean): number {
      const time = another ? first + difference : last + step + difference;
      if (another) begin(time);
      else go(time);
      return time;
    },
  };
}

/** How many samples of which resource there are. */
export function countBlock(series: Buffer, visit: (resource: number, samples: number) => void): void {
  const bytes = bytesOf(series);
  let resource = 0;
  while (bytes.at < series.length) {
    resource += takeDifference(bytes);
    visit(resource, takeCount(bytes));
  }
}

type Reading = Pick<SampleLine, 'resource' | 'time' | 'metadata' | 'volume'>;

/** In the order of resource and time. Throws where the bytes are none of a block. */
export function readBlock({ series, body }: Omit<Block, 'ids'>, origin: number, visit: (reading: Reading) => void) {
  const bytes = bytesOf(body);
  const form = takeCount(bytes);
  if (form !== FORM) throw new RangeError(`a block has form ${form}, this version reads ${FORM}`);
  const resources: number[] = [];
  const times: number[] = [];
  const differences = timeDifferences();
  countBlock(series, (resource, samples) => {
    for (let index = 0; index < samples; index++) {
      resources.push(resource);
      times.push(origin + differences.toTime(takeDifference(bytes), index === 0));
    }
  });
  const metadata: number[] = [];
  let before = 0;
  for (let index = 0; index < times.length; index++) {
    before += takeDifference(bytes);
    metadata.push(before);
  }
  readVolumes(bytes, times.length, (volume, index) => {
    visit({
      resource: resources[index] ?? 0,
      time: times[index] ?? 0,
      metadata: metadata[index] ?? 0,
      volume,
    });
  });
}

function readVolumes(bytes: Bytes, samples: number, visit: (volume: number | bigint, index: number) => void): void {
  const kinds: number[] = [];
  while (kinds.length < samples) {
    const kind = takeCount(bytes);
    for (let left = takeCount(bytes); left > 0; left--) kinds.push(kind);
  }
  let before = 0n;
  for (let index = 0; index < samples; index++) {
    switch (kinds[index]) {
      case INTEGER:
        before = BigInt.asIntN(64, before + takeLongDifference(bytes));
        visit(before, index);
        break;
      case FLOAT:
        visit(takeFloat(bytes), index);
        break;
      case WHOLE:
        visit(takeDifference(bytes), index);
        break;
      default:
        visit(BigInt(takeBytes(bytes, takeCount(bytes)).toString('latin1')), index);
    }
  }
}

export function readLines(block: Block, meter: number, origin: number): SampleLine[] {
  const ids = bytesOf(block.ids);
  const length = takeCount(ids);
  const lines: SampleLine[] = [];
  readBlock(block, origin, (reading) => {
    lines.push({ ...reading, meter, id: takeBytes(ids, length === 0 ? takeCount(ids) : length) });
  });
  return lines;
}
