/** Makes samples of readings: checks what a plugin yielded and adds what the agent knows. */
import type { Meter, Reading } from '../plugin.ts';
import { isoTimestamp, type Metadata, type Sample, sampleIds } from '../sample.ts';
import { IdNumbers, Tally } from './tally.ts';

export interface StampOptions {
  /** `[DEFAULT] sample_source`, the `source` field of every sample. */
  readonly sampleSource: string;
  /** The polling source that asked, part of the sample's id. */
  readonly pollingSource: string;
  /** The slot, or the name of what was polled outside the slots. */
  readonly slot: number | string;
  /** Wall-clock milliseconds of the poll. */
  readonly time: number;
  /** The meter of readings that name none. */
  readonly meter: Meter | undefined;
  /** Where left out, it has numbers of its own. */
  readonly ids?: IdNumbers;
}

export interface Stamp {
  /** The sample, or what is wrong with the reading. */
  make(reading: Reading): Sample | string;
}

const NO_METADATA: Metadata = Object.freeze({});
const TYPES: ReadonlySet<unknown> = new Set(['gauge', 'delta', 'cumulative']);

/** What was read of one meter. */
interface Count {
  readonly meter: string;
  /** How often each of its resources came. */
  readonly tally: Tally;
  readonly idOf: ReturnType<typeof sampleIds>;
}

/** One stamp serves one run of one pollster: it tells apart readings that would have the same id. */
export function createStamp(options: StampOptions): Stamp {
  const timestamp = isoTimestamp(options.time);
  const { ids = new IdNumbers() } = options;
  const counts = new Map<string, Count>();
  let latest: Count | undefined;

  function countOf(meter: string): Count {
    if (latest?.meter === meter) return latest;
    latest = counts.get(meter) ?? {
      meter,
      tally: new Tally(ids),
      idOf: sampleIds(options.pollingSource, meter, options.slot),
    };
    counts.set(meter, latest);
    return latest;
  }

  return {
    make(reading) {
      const fault = faultOf(reading, options.meter);
      if (fault !== undefined) return fault;
      const meter = reading.meter ?? options.meter;
      if (meter === undefined) return 'a reading without a meter';
      const { resourceId } = reading;
      const { idOf, tally } = countOf(meter.name);
      return {
        id: idOf(resourceId, tally.add(resourceId)),
        name: meter.name,
        type: meter.type,
        unit: meter.unit,
        volume: volumeOf(reading.volume, meter),
        resourceId,
        projectId: reading.projectId ?? null,
        projectName: reading.projectName ?? null,
        userId: reading.userId ?? null,
        userName: reading.userName ?? null,
        timestamp,
        monotonicTime: reading.monotonicTime ?? null,
        metadata: reading.metadata ?? NO_METADATA,
        source: options.sampleSource,
      };
    },
  };
}

function volumeOf(volume: number | bigint, meter: Meter): number | bigint {
  if (meter.float === true) return typeof volume === 'bigint' ? Number(volume) : volume;
  return typeof volume === 'number' && Number.isInteger(volume) ? BigInt(volume) : volume;
}

/** What a plugin yields is checked at run time: it may be JavaScript, and a wrong value would be billed. */
function faultOf(reading: Reading, fallback: Meter | undefined): string | undefined {
  if (typeof reading !== 'object' || reading === null) return `a reading that is ${show(reading)}, not an object`;
  const { resourceId, volume, metadata, meter = fallback } = reading;
  if (typeof resourceId !== 'string' || resourceId === '') {
    return `resourceId ${show(resourceId)}: expected a string that is not empty`;
  }
  if (typeof volume !== 'bigint' && !Number.isFinite(volume)) {
    return `volume ${show(volume)} of ${resourceId}: expected a finite number or a bigint`;
  }
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))) {
    return `metadata ${show(metadata)} of ${resourceId}: expected an object`;
  }
  if (meter === undefined) return `a reading of ${resourceId} without a meter`;
  if (meter !== fallback && !isMeter(meter)) {
    return `meter ${show(meter)} of ${resourceId}: expected { name, type, unit } of a known type`;
  }
  return undefined;
}

/** Whether this is a meter, from a plugin that no compiler has checked. */
export function isMeter(value: unknown): value is Meter {
  if (typeof value !== 'object' || value === null) return false;
  const { name, type, unit } = value as Partial<Record<string, unknown>>;
  return typeof name === 'string' && name !== '' && TYPES.has(type) && typeof unit === 'string';
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
