/** `zaqar://?queue=NAME`: samples and events as messages of a Zaqar queue. */
import { randomUUID } from 'node:crypto';
import { ConfigError, DeliveryError } from '../errors.ts';
import { UrlOptions } from '../pipeline/publisher-url.ts';
import { type Host, type Publisher, type PublisherUrl, statusOf } from '../plugin.ts';
import type { JsonObject } from '../wire/value.ts';
import { eventMessage, sampleDict } from './records.ts';

const SERVICE_TYPE = 'messaging';
const DEFAULT_TTL = 3600;

/** Options: `queue`, and `ttl`, the seconds that a message is kept. */
export function zaqarPublisher(url: PublisherUrl, host: Host): Publisher {
  const options = new UrlOptions(url);
  const queue = options.text('queue');
  const ttl = options.integer('ttl', DEFAULT_TTL, 1);
  options.refuseOthers();
  if (queue === undefined) throw new ConfigError(`${url.shown}: option queue: expected the name of a queue`);
  const service = host
    .openstack()
    .service(SERVICE_TYPE, { headers: { 'client-id': randomUUID().replaceAll('-', '') } });
  const path = `/v2/queues/${encodeURIComponent(queue)}/messages`;

  async function send(bodies: readonly JsonObject[], signal: AbortSignal): Promise<void> {
    const body = { messages: bodies.map((one) => ({ body: one, ttl })) };
    try {
      await service.request('POST', path, { body, signal });
    } catch (error) {
      const status = statusOf(error);
      // What Zaqar understood and refused it would refuse again.
      const retryable = status === undefined || status >= 500 || [401, 404, 408, 429].includes(status);
      throw new DeliveryError(`Zaqar did not take ${bodies.length} messages`, { cause: error, retryable });
    }
  }

  return {
    publishSamples: (batch, signal) => send(batch.map(sampleDict), signal),
    publishEvents: (batch, signal) => send(batch.map(eventMessage), signal),
    async close() {},
  };
}
