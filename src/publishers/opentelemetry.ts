/** `opentelemetryhttp://`: samples as OpenTelemetry's metrics, in JSON over HTTP. */
import type { NotificationSample } from '../notification.ts';
import { UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, Publisher, PublisherUrl } from '../plugin.ts';
import { parseDateTime } from '../python/datetime.ts';
import { parseFloatText } from '../python/number.ts';
import { textOf } from '../python/text.ts';
import { createDropLog, type DropLog } from '../util/drop-log.ts';
import { stringifyJson } from '../wire/json.ts';
import { type JsonObject, type JsonValue, WholeFloat } from '../wire/value.ts';
import { openHttpTarget } from './http-target.ts';

/**
 * Own option `format`: `ceilometer` sends what upstream does, one sample in each request, which no OTLP receiver reads
 * in full; `otlp` is OTLP 1 as receivers of today want it.
 */
export function openTelemetryPublisher(url: PublisherUrl, host: Host): Publisher {
  const options = new UrlOptions(url);
  const format = options.choice('format', ['ceilometer', 'otlp'], 'ceilometer');
  const target = openHttpTarget(url, options, host);
  const drops = createDropLog(host.log, 'a sample that OpenTelemetry has no form for is left out');
  const bodies = format === 'otlp' ? otlpBodies : upstreamBodies;

  return {
    async publishSamples(batch, signal) {
      for (const body of bodies(batch, drops)) await target.post(stringifyJson(body), signal);
    },
    close: () => target.close(),
  };
}

interface Moment {
  readonly seconds: number;
  readonly micros: number;
}

/** UTC; undefined where it is no time. */
function momentOf({ timestamp }: NotificationSample): Moment | undefined {
  try {
    const { seconds, micros, offsetMinutes } = parseDateTime(timestamp);
    return { seconds: seconds - offsetMinutes * 60, micros };
  } catch {
    return undefined;
  }
}

function drop(drops: DropLog, { name, resourceId }: NotificationSample, reason: string): void {
  drops.note(name, { meter: name, resource: textOf(resourceId), reason });
}

function upstreamBodies(batch: readonly NotificationSample[], drops: DropLog): JsonObject[] {
  const bodies: JsonObject[] = [];
  for (const sample of batch) {
    const moment = momentOf(sample);
    if (moment === undefined) drop(drops, sample, 'its timestamp is no time');
    else bodies.push(upstreamBody(sample, moment.seconds));
  }
  return bodies;
}

/** Upstream's words: `counter` for what OTLP calls a sum, and seconds in the fields for nanoseconds. */
function upstreamBody(sample: NotificationSample, seconds: number): JsonObject {
  const { name, type, unit, volume, resourceId, userId, projectId } = sample;
  const attribute = (key: string, value: JsonValue) => ({ key, value: { string_value: value } });
  const point = {
    attributes: [
      attribute('resource_id', resourceId),
      attribute('user_id', userId),
      attribute('project_id', projectId),
    ],
    start_time_unix_nano: seconds,
    time_unix_nano: seconds,
    as_double: volume,
    flags: 0,
  };
  const metric = {
    name: name.replaceAll('.', '_'),
    description: `${name} unit:${textOf(unit)}`,
    unit,
    [type === 'cumulative' ? 'counter' : 'gauge']: { data_points: [point] },
  };
  const scope = { name: 'ceilometer', version: 'v1' };
  return { resource_metrics: [{ scope_metrics: [{ scope, metrics: [metric] }] }] };
}

const TEMPORALITY = { delta: 1, cumulative: 2 } as const;

function otlpBodies(batch: readonly NotificationSample[], drops: DropLog): JsonObject[] {
  const metrics = batch.flatMap((sample) => otlpMetric(sample, drops) ?? []);
  if (metrics.length === 0) return [];
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'ceilometer' } }] };
  return [{ resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'ceilometer' }, metrics }] }] }];
}

function otlpMetric(sample: NotificationSample, drops: DropLog): JsonObject | undefined {
  const moment = momentOf(sample);
  const value = otlpValue(sample.volume);
  if (moment === undefined || value === undefined) {
    drop(drops, sample, moment === undefined ? 'its timestamp is no time' : 'its volume is no number');
    return undefined;
  }
  const { name, type, unit, resourceId, userId, projectId } = sample;
  const attributes = Object.entries({ resource_id: resourceId, user_id: userId, project_id: projectId })
    .filter(([, id]) => id !== null)
    .map(([key, id]) => ({ key, value: { stringValue: textOf(id) } }));
  const timeUnixNano = String(BigInt(moment.seconds) * 1_000_000_000n + BigInt(moment.micros) * 1000n);
  const dataPoints = [{ attributes, timeUnixNano, ...value }];
  const common = { name, ...(unit !== null && { unit: textOf(unit) }) };
  if (type === 'gauge') return { ...common, gauge: { dataPoints } };
  const isMonotonic = type === 'cumulative';
  return { ...common, sum: { dataPoints, aggregationTemporality: TEMPORALITY[type], isMonotonic } };
}

/** Integers of 64 bits are texts in OTLP's JSON. */
function otlpValue(volume: JsonValue): JsonObject | undefined {
  if (typeof volume === 'boolean') return { asInt: volume ? '1' : '0' };
  if (typeof volume === 'bigint' || (typeof volume === 'number' && Number.isSafeInteger(volume))) {
    return { asInt: String(volume) };
  }
  if (typeof volume === 'string') {
    const parsed = parseFloatText(volume);
    return parsed === undefined ? undefined : { asDouble: parsed };
  }
  const float = volume instanceof WholeFloat ? volume.value : volume;
  return typeof float === 'number' && Number.isFinite(float) ? { asDouble: float } : undefined;
}
