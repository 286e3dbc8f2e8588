/** The pipelines of `ceilometer up`: what was polled also goes to the publishers that the operator's files name. */
import { createHost } from '../agent/host.ts';
import type { LoadedConfig } from '../config/load.ts';
import { MESSAGE_PROPERTIES } from '../messaging/envelope.ts';
import { createSampleMessages } from '../messaging/sample-messages.ts';
import { assemble } from '../notifications/assembly.ts';
import { createHandler } from '../notifications/handler.ts';
import type { Output } from '../output/output.ts';
import type { Logger, Publisher } from '../plugin.ts';
import { systemClock } from '../util/clock.ts';
import { createDropLog } from '../util/drop-log.ts';
import { untilAborted } from '../util/scope.ts';

/** Samples that wait for publishers; beyond that, new ones do not get there. */
const MOST_WAITING = 50_000;

/** `notifier://` is the collector beside it, which has the samples already. */
const collectorItself: Publisher = {
  publishSamples: async () => {},
  publishEvents: async () => {},
  close: async () => {},
};

/**
 * Handles the messages that a broker would carry as a notification agent does. Polling does not wait for publishers.
 * Throws `ERR_CONFIG` where the files are wrong.
 */
export async function openPipelines({ config, searchPath }: LoadedConfig, log: Logger): Promise<Output> {
  const host = createHost(config, log);
  const assembly = await assemble(host, searchPath, { notifier: () => collectorItself });
  const kill = new AbortController();
  const limits = { clock: systemClock, patience: config.notification.publishTimeout * 1000 };
  const handler = createHandler({ assembly, limits }, { log, kill: kill.signal });
  const late = createDropLog(log, 'publishers do not keep up, samples do not get to them');
  const toMessages = createSampleMessages({
    secret: config.publisher.telemetrySecret,
    format: 'messagingv2',
    routingKeys: [''],
    maxMessageBytes: config.polling.maxMessageBytes,
    refused: ({ name, resourceId }) => log.warn({ meter: name, resource: resourceId }, 'a sample cannot be written'),
  });
  const work = new Set<Promise<void>>();
  let waiting = 0;

  async function handle(body: Buffer, samples: number): Promise<void> {
    const verdict = await handler.handle({ body, ...MESSAGE_PROPERTIES, headers: undefined });
    if (verdict.kind === 'abandoned') return;
    waiting -= samples;
    if (verdict.kind === 'dead') log.error({ samples, reason: verdict.reason }, 'samples did not get to a publisher');
  }

  return {
    async publish(batch) {
      if (waiting + batch.length > MOST_WAITING) {
        late.note('late', { samples: batch.length });
        return;
      }
      for (const { body, samples } of toMessages(batch)) {
        waiting += samples;
        const handled = handle(body, samples).finally(() => work.delete(handled));
        work.add(handled);
      }
    },
    async flush(signal) {
      await untilAborted(Promise.all(work), signal).catch(() => {});
      return waiting;
    },
    async close() {
      kill.abort(new Error('end'));
      await Promise.all(work);
      await assembly.close();
      await host.close();
    },
  };
}
