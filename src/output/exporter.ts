/**
 * Samples for Prometheus: those of the last cycle of each interval, under the names and labels of upstream's exporter.
 */
import type { Family, Labels, Measurement } from '../prometheus/exposition.ts';
import type { Metadata, MetadataValue, Sample } from '../sample.ts';
import type { Output } from './output.ts';

export interface Exporter {
  /** The output, which the exporter sees the samples of. */
  readonly output: Output;
  /** Whole cycles only: what a cycle has read so far is not among it. */
  families(): Iterable<Family>;
}

interface Series {
  readonly labels: Labels;
  readonly value: number | bigint;
}

/** By name of the family, then by labels. */
type SeriesSet = Map<string, Map<string, Series>>;

export function createExporter(output: Output): Exporter {
  /** By interval; samples without one belong to the cycle that ends next. */
  const reading = new Map<number | undefined, SeriesSet>();
  const served = new Map<number, SeriesSet>();

  const exporting: Output = {
    ...(output.stats && { stats: output.stats }),
    async publish(batch, signal, interval) {
      const set = reading.get(interval) ?? new Map();
      reading.set(interval, set);
      for (const sample of batch) addTo(set, familyName(sample.name), seriesOf(sample));
      await output.publish(batch, signal, interval);
    },
    cycleEnded(report) {
      const read = [undefined, report.interval].flatMap((interval) => reading.get(interval) ?? []);
      for (const interval of [undefined, report.interval]) reading.delete(interval);
      served.set(report.interval, merged(read));
      output.cycleEnded?.(report);
    },
    flush: (signal) => output.flush(signal),
    close: () => output.close(),
  };

  return {
    output: exporting,
    *families() {
      for (const [name, series] of merged([...served.values()])) {
        const measurements: Measurement[] = [...series.values()];
        yield { name, type: 'gauge', help: '', measurements };
      }
    },
  };
}

function addTo(set: SeriesSet, name: string, series: Series): void {
  const family = set.get(name) ?? new Map<string, Series>();
  set.set(name, family);
  family.set(JSON.stringify(series.labels), series);
}

/** Of a series that several have, the last counts: Prometheus refuses a text that has one twice. */
function merged(sets: readonly SeriesSet[]): SeriesSet {
  const [only] = sets;
  if (only !== undefined && sets.length === 1) return only;
  const all: SeriesSet = new Map();
  for (const set of sets) {
    for (const [name, family] of set) for (const series of family.values()) addTo(all, name, series);
  }
  return all;
}

function familyName(meter: string): string {
  return `ceilometer_${meter.replaceAll(/[^\w:]/g, '_')}`;
}

function labelName(text: string): string {
  return text.replaceAll(/\W/g, '_').replace(/^(?=\d)|^__/, '_');
}

/** Upstream's labels; one without a value is left out, as there, but does not keep the others of its meter out. */
function seriesOf(sample: Sample): Series {
  const [plugin = '', type = plugin, instance = sample.resourceId] = sample.name.split('.');
  const { metadata } = sample;
  const { user_metadata: user, flavor } = metadata;
  const labels: Record<string, string> = {};
  const set = (name: string, value: MetadataValue | undefined) => {
    if (isValue(value)) labels[labelName(name)] = String(value);
  };
  set(plugin, instance);
  set('publisher', 'ceilometer');
  set('type', type);
  set('counter', sample.name);
  set('project', sample.projectId);
  set('project_name', sample.projectName);
  set('user', sample.userId);
  set('user_name', sample.userName);
  set('unit', sample.unit);
  set('resource', sample.resourceId);
  if (Object.keys(metadata).length > 0) {
    set('vm_instance', metadata['host']);
    set('resource_name', resourceName(metadata));
    set('server_group', 'none');
    set('server_group', fieldOf(user, 'server_group'));
    set('state', metadata['alarm_state']);
    if (sample.name.startsWith('loadbalancer')) set('availability_zone', metadata['availability_zone']);
    if (sample.name === 'volume.service.health') {
      for (const name of ['binary', 'zone', 'status']) set(name, metadata[name]);
    }
    set('flavor_id', fieldOf(flavor, 'id'));
    set('flavor_name', fieldOf(flavor, 'name'));
  }
  return { labels, value: sample.volume };
}

function isValue(value: MetadataValue | undefined): value is string | number | bigint | true {
  return value !== undefined && value !== null && value !== '' && value !== false && typeof value !== 'object';
}

function resourceName({ display_name: shown, name }: Metadata): string | undefined {
  const names = [shown, name].filter(isValue).map(String);
  return names.length === 0 ? undefined : names.join(':');
}

function fieldOf(value: MetadataValue | undefined, name: string): MetadataValue | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Metadata)[name] : undefined;
}
