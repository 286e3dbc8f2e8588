/** `http://` and `https://`: samples and events in JSON, a list of them or each on its own. */
import type { Event } from '../notification.ts';
import { UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, Publisher, PublisherUrl } from '../plugin.ts';
import { getKey, isTrue } from '../python/value.ts';
import { stringifyJson } from '../wire/json.ts';
import { openHttpTarget } from './http-target.ts';
import { eventMessage, sampleJson } from './records.ts';

export function httpPublisher(url: PublisherUrl, host: Host): Publisher {
  const options = new UrlOptions(url);
  const batched = options.boolean('batch', true);
  const rawOnly = options.boolean('raw_only', false);
  const target = openHttpTarget(url, options, host);

  async function send(records: readonly string[], signal: AbortSignal): Promise<void> {
    if (records.length === 0) return;
    if (batched) await target.post(`[${records.join(', ')}]`, signal);
    else for (const record of records) await target.post(record, signal);
  }

  return {
    publishSamples: (batch, signal) => send(batch.map(sampleJson), signal),
    publishEvents: (batch, signal) => send(batch.flatMap(rawOnly ? rawPayload : eventJson), signal),
    close: () => target.close(),
  };
}

function eventJson(event: Event): readonly string[] {
  return [stringifyJson(eventMessage(event))];
}

function rawPayload({ raw }: Event): readonly string[] {
  const payload = getKey(raw, 'payload');
  return isTrue(payload) ? [stringifyJson(payload)] : [];
}
