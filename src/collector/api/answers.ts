/** What the store says, in the words of the API. */
import { parseExactJson } from '../../wire/json-parser.ts';
import { isObject, type JsonObject, type JsonValue, WholeFloat } from '../../wire/value.ts';
import type { Collector } from '../collector.ts';
import { isoOf } from '../record.ts';
import type {
  MeterRow,
  ResourceDetailRow,
  ResourceRow,
  StatisticsRow,
  StoredSample,
  StoreStatus,
} from '../store/store.ts';

const seconds = (micros: number | null) => (micros === null ? null : micros / 1e6);
const isoOrNull = (time: number | null) => (time === null ? null : isoOf(time));

/** A float stays one in JSON, whatever its value. */
function exact(value: number | bigint): JsonValue {
  return typeof value === 'number' && Number.isInteger(value) ? new WholeFloat(value) : value;
}

function readMetadata(text: string): JsonObject {
  const value = parseExactJson(text);
  return isObject(value) ? value : {};
}

export function meterAnswer({ first, last, interval, ...meter }: MeterRow): JsonObject {
  return { ...meter, first_sample: isoOf(first), last_sample: isoOf(last), interval: seconds(interval) };
}

export function resourceAnswer({ meters, ...resource }: ResourceRow): JsonObject {
  return { ...ownAnswer(resource), meters };
}

function ownAnswer(resource: Omit<ResourceRow, 'meters'>): JsonObject {
  return {
    resource_id: resource.resourceId,
    project_id: resource.projectId,
    project_name: resource.projectName,
    user_id: resource.userId,
    user_name: resource.userName,
    source: resource.source,
    first_sample: isoOf(resource.first),
    last_sample: isoOf(resource.last),
    metadata: readMetadata(resource.metadata),
  };
}

export function resourceDetailAnswer({ meters, history, ...resource }: ResourceDetailRow): JsonObject {
  return {
    ...ownAnswer(resource),
    meters: meters.map(({ first, last, interval, ...meter }) => ({
      ...meter,
      first_sample: isoOf(first),
      last_sample: isoOf(last),
      interval: seconds(interval),
    })),
    metadata_history: history.map(({ since, meters: names, metadata }) => ({
      since: isoOf(since),
      meters: names,
      metadata: readMetadata(metadata),
    })),
  };
}

/** Samples of one page mostly share their metadata: each text is read once. */
export function sampleAnswers(samples: readonly StoredSample[], withMetadata: boolean): readonly JsonObject[] {
  const known = new Map<string, JsonObject>();
  function metadataOf(text: string): JsonObject {
    const found = known.get(text) ?? readMetadata(text);
    known.set(text, found);
    return found;
  }
  return samples.map((sample) => ({
    source: sample.source,
    counter_name: sample.meter,
    counter_type: sample.type,
    counter_unit: sample.unit,
    counter_volume: exact(sample.volume),
    user_id: sample.userId,
    user_name: sample.userName,
    project_id: sample.projectId,
    project_name: sample.projectName,
    resource_id: sample.resourceId,
    timestamp: isoOf(sample.time),
    ...(withMetadata && { resource_metadata: metadataOf(sample.metadata) }),
    message_id: sample.id,
  }));
}

export function statisticsAnswer(row: StatisticsRow, period: number | undefined): JsonObject {
  return {
    resource_id: row.resourceId,
    project_id: row.projectId,
    unit: row.unit,
    period: period ?? null,
    period_start: isoOf(row.start),
    period_end: isoOf(row.end),
    count: row.count,
    min: exact(row.min),
    max: exact(row.max),
    sum: exact(row.sum),
    avg: new WholeFloat(row.avg),
    first_sample: isoOf(row.first),
    last_sample: isoOf(row.last),
    rate: row.rate === null ? null : new WholeFloat(row.rate),
    resets: row.resets,
  };
}

/** The host in `telemetry.publisher.HOST`; polling agents do not say theirs. */
const PUBLISHER = /^telemetry\.publisher\.(.+)$/;

export function statusAnswer(status: StoreStatus, collector: Collector, version: string, now: number): JsonObject {
  const { retention, received } = collector;
  return {
    version,
    started_at: isoOf(collector.startedAt * 1000),
    now: isoOf(now),
    store: {
      kind: status.kind,
      bytes: status.bytes,
      max_bytes: retention.maxBytes ?? null,
      time_to_live: retention.timeToLive ?? null,
      meters: status.meters,
      resources: status.resources,
      series: status.series,
      samples: status.samples,
      first_sample: isoOrNull(status.first),
      last_sample: isoOrNull(status.last),
    },
    received: {
      samples: received.samples,
      stored: received.stored,
      duplicates: received.duplicates,
      unsigned: received.unsigned,
      bad_signature: received.badSignature,
      invalid: received.invalid,
      dead_letters: received.deadLetters,
    },
    agents: status.agents.map(({ agent, source, first, last, interval, late, samples }) => ({
      agent,
      host: PUBLISHER.exec(agent)?.[1] ?? null,
      source,
      first_seen: isoOf(first),
      last_seen: isoOf(last),
      interval: seconds(interval),
      late,
      samples,
    })),
    late_total: status.lateTotal,
    late: status.late.map(({ meter, resourceId, last, interval }) => ({
      meter,
      resource_id: resourceId,
      last_sample: isoOf(last),
      interval: interval / 1e6,
      overdue: (now - last - interval) / 1e6,
    })),
    gaps_total: status.gapsTotal,
    gaps: status.gaps.map(({ meter, resourceId, gaps, start, end, interval }) => ({
      meter,
      resource_id: resourceId,
      gaps,
      start: isoOf(start),
      end: isoOf(end),
      interval: interval / 1e6,
    })),
  };
}
