/** `prometheus://`: samples to a push gateway, in Prometheus' text format. */
import type { NotificationSample } from '../notification.ts';
import { UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, Publisher, PublisherUrl } from '../plugin.ts';
import { parseFloatText } from '../python/number.ts';
import { textOf } from '../python/text.ts';
import { createDropLog } from '../util/drop-log.ts';
import { openHttpTarget } from './http-target.ts';

interface Series {
  readonly type: 'counter' | 'gauge' | undefined;
  /** Values by labels. The gateway refuses a body that has one series twice. */
  readonly values: Map<string, string>;
}

/** A request: what the gateway keeps and replaces as one group. */
interface Group {
  readonly below: string;
  readonly metrics: Map<string, Series>;
}

export function prometheusPublisher(url: PublisherUrl, host: Host): Publisher {
  const target = openHttpTarget(url, new UrlOptions(url), host, 'plain/text');
  const drops = createDropLog(host.log, 'a sample whose volume is no number is left out');
  // With a path that says no more than the job, a push of one resource would replace those of all others.
  const grouped = url.path.split('/').filter((part) => part !== '').length <= 3;

  function groupsOf(batch: readonly NotificationSample[]): Iterable<Group> {
    const groups = new Map<string, Group>();
    for (const sample of batch) {
      const value = numberOf(sample);
      if (value === undefined) {
        drops.note(sample.name, { meter: sample.name, resource: textOf(sample.resourceId) });
        continue;
      }
      const below = grouped ? `/resource_id/${quoted(textOf(sample.resourceId))}` : '';
      const group = groups.get(below) ?? { below, metrics: new Map<string, Series>() };
      groups.set(below, group);
      const name = metricName(sample.name);
      const series = group.metrics.get(name) ?? { type: typeOf(sample), values: new Map<string, string>() };
      group.metrics.set(name, series);
      series.values.set(labels(sample), value);
    }
    return groups.values();
  }

  return {
    async publishSamples(batch, signal) {
      const failures: unknown[] = [];
      for (const { below, metrics } of groupsOf(batch)) {
        // One resource that the gateway refuses is no reason to keep back the others.
        await target.post(textFormat(metrics), signal, below).catch((error: unknown) => failures.push(error));
        signal.throwIfAborted();
      }
      if (failures.length > 0) throw failures.find(isRetryable) ?? failures[0];
    },
    close: () => target.close(),
  };
}

function textFormat(metrics: ReadonlyMap<string, Series>): string {
  let text = '';
  for (const [name, { type, values }] of metrics) {
    if (type !== undefined) text += `# TYPE ${name} ${type}\n`;
    for (const [labelled, value] of values) text += `${name}${labelled} ${value}\n`;
  }
  return text;
}

function typeOf({ type }: NotificationSample): Series['type'] {
  if (type === 'delta') return undefined;
  return type === 'cumulative' ? 'counter' : 'gauge';
}

function metricName(meter: string): string {
  return meter.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_');
}

function labels({ resourceId, userId, projectId }: NotificationSample): string {
  const label = (name: string, value: string) => `${name}="${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
  const [resource, user, project] = [textOf(resourceId), textOf(userId), textOf(projectId)];
  return `{${label('resource_id', resource)}, ${label('user_id', user)}, ${label('project_id', project)}}`;
}

/** Undefined for what Prometheus could not read, which would cost the whole request. */
function numberOf({ volume }: NotificationSample): string | undefined {
  if (typeof volume === 'boolean') return volume ? '1' : '0';
  const text = textOf(volume);
  return parseFloatText(text) === undefined ? undefined : text.trim();
}

/** As Python's `quote` with nothing safe. */
function quoted(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function isRetryable(error: unknown): boolean {
  return !(error instanceof Error && 'retryable' in error && error.retryable === false);
}
