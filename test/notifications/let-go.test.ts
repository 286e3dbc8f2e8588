/** What the handler keeps of polled samples while publishers have them. */
import { expect, it } from 'vitest';
import type { Delivery } from '../../src/messaging/listener.ts';
import type { NotificationSample } from '../../src/notification.ts';
import { createHandler } from '../../src/notifications/handler.ts';
import { createProcessor } from '../../src/notifications/processor.ts';
import { telemetryEndpoint } from '../../src/notifications/telemetry.ts';
import { createSamplePipelines } from '../../src/pipeline/pipeline.ts';
import type { Publisher } from '../../src/plugin.ts';
import { sampleDict, sampleJson } from '../../src/publishers/records.ts';
import { getKey } from '../../src/python/value.ts';
import { systemClock } from '../../src/util/clock.ts';
import { goldenCases } from '../helpers/golden-notifications.ts';
import { recordingLog } from '../helpers/recording-log.ts';

const [golden] = goldenCases().filter(({ name }) => name === 'polling.fifty');
const other = Buffer.from('another message, whose bytes are where the first one was');

function handlerWith(publishers: readonly Publisher[]) {
  const log = recordingLog();
  const urls = publishers.map((_, index) => `test://${index}`);
  const file = {
    path: 'p',
    warnings: [],
    sources: [{ name: 'all', selection: ['*'], sinks: ['x'] }],
    sinks: [{ name: 'x', publishers: urls, where: [] }],
  };
  const loaded = publishers.map((publisher, index) => ({ name: `test://${index}`, publisher }));
  const find = (url: string) => {
    const found = loaded[urls.indexOf(url)];
    if (found === undefined) throw new Error(`no publisher ${url}`);
    return found;
  };
  const endpoint = { name: 'telemetry', endpoint: telemetryEndpoint('openstack', undefined) };
  const assembly = {
    processor: createProcessor([endpoint], undefined),
    samples: createSamplePipelines(file, find, log),
    events: undefined,
    endpoints: [],
    publishers: [],
    async close() {},
  };
  const limits = { clock: systemClock, patience: 5000 };
  return createHandler({ assembly, limits }, { log, kill: new AbortController().signal });
}

/** Handles the golden message, whose bytes belong to another message afterwards. */
async function handle(publishers: readonly Publisher[], change = (body: string) => body) {
  const body = Buffer.from(change(golden?.body ?? ''));
  const delivery: Delivery = { body, contentType: 'application/json', contentEncoding: 'utf-8', headers: {} };
  const verdict = await handlerWith(publishers).handle(delivery);
  body.fill(0);
  other.copy(body);
  return verdict;
}

function publisherOf(publishSamples: (batch: readonly NotificationSample[]) => Promise<void>): Publisher {
  return { publishSamples, close: async () => {} };
}

it('gives a publisher that reads at once the same samples when it tries again', async () => {
  const attempts: string[][] = [];
  const failing: Publisher = {
    ...publisherOf(async (batch) => {
      attempts.push(batch.map(sampleJson));
      await new Promise(setImmediate);
      if (attempts.length < 3) throw new Error('away');
    }),
    readsAtOnce: true,
  };
  // A sample without an id gets one of ours, which has to be the same each time.
  const verdict = await handle([failing], (body) =>
    body.replace(/(\\"message_id\\": )\\"[^"]*\\"(, \\"monotonic_time)/, '$1null$2'),
  );

  expect(verdict).toEqual({ kind: 'done' });
  expect(attempts).toHaveLength(3);
  expect(attempts[0]).toHaveLength(50);
  expect(attempts[0]?.[0]).toMatch(/"id": "[-0-9a-f]{36}"/);
  expect(attempts[1]).toEqual(attempts[0]);
  expect(attempts[2]).toEqual(attempts[0]);
});

it('leaves to others what they read later, even when the message is done', async () => {
  const kept: NotificationSample[] = [];
  const atOnce: Publisher = { ...publisherOf(async () => {}), readsAtOnce: true };
  const keeping = publisherOf(async (batch) => {
    kept.push(...batch);
  });

  const verdict = await handle([atOnce, keeping]);

  expect(verdict).toEqual({ kind: 'done' });
  expect(kept.map((sample) => sampleDict(sample)['volume'])).toEqual(
    golden?.samples.map((sample) => getKey(sample, 'volume')),
  );
});

it('has nothing for a publisher that says it reads at once and does not', async () => {
  const kept: NotificationSample[] = [];
  const lying: Publisher = {
    ...publisherOf(async (batch) => {
      kept.push(...batch);
    }),
    readsAtOnce: true,
  };

  await handle([lying]);

  expect(() => kept.map(sampleJson)).toThrow('a polled sample is read when its message is done with');
});
