import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Delivery } from '../../src/messaging/listener.ts';
import type { Assembly } from '../../src/notifications/assembly.ts';
import { loadEventConverter } from '../../src/notifications/event-converter.ts';
import { createHandler } from '../../src/notifications/handler.ts';
import plugin from '../../src/notifications/index.ts';
import { meterDefinitionsEndpoint } from '../../src/notifications/meter-definitions.ts';
import { createProcessor, type NamedEndpoint } from '../../src/notifications/processor.ts';
import { traitPlugins } from '../../src/notifications/trait-plugins.ts';
import { createEventPipelines, createSamplePipelines } from '../../src/pipeline/pipeline.ts';
import type { Publisher } from '../../src/plugin.ts';
import { testPublisher } from '../../src/publishers/test.ts';
import { systemClock } from '../../src/util/clock.ts';
import { goldenCases } from '../helpers/golden-notifications.ts';
import { recordingLog } from '../helpers/recording-log.ts';

const shipped = new URL('../../etc/ceilometer/', import.meta.url).pathname;
const log = recordingLog();
const { config } = loadConfig({ files: [], dirs: [], env: {} });

async function assembly(publisher: Publisher, withInstance: boolean): Promise<Assembly> {
  const plugins = new Map(Object.entries(traitPlugins));
  const host = createHost(config, log);
  const endpoints: NamedEndpoint[] = [];
  for (const [name, factory] of Object.entries(plugin.endpoints ?? {})) {
    if (name !== 'instance' || withInstance) endpoints.push({ name, endpoint: await factory(host) });
  }
  const directories = [`${shipped}meters.d`];
  const meters = meterDefinitionsEndpoint({ directories, plugins, reserved: config.default, source: 'openstack', log });
  endpoints.push({ name: 'meter', endpoint: meters });
  const converter = loadEventConverter(`${shipped}event_definitions.yaml`, {
    dropUnmatched: false,
    storeRaw: [],
    plugins,
  });
  const file = {
    path: 'p',
    warnings: [],
    sources: [{ name: 'all', selection: ['*'], sinks: ['x'] }],
    sinks: [{ name: 'x', publishers: ['test://'], where: [] }],
  };
  const loaded = { name: 'test://', publisher };
  return {
    processor: createProcessor(endpoints, converter),
    samples: createSamplePipelines(file, () => loaded, log),
    events: createEventPipelines(file, () => loaded),
    endpoints: [],
    publishers: [],
    async close() {},
  };
}

function delivery(body: string | Buffer, contentType = 'application/json'): Delivery {
  return { body: Buffer.from(body), contentType, contentEncoding: 'utf-8', headers: {} };
}

async function handlerWith(publisher: Publisher = testPublisher(), patience = 0, withInstance = false) {
  const kill = new AbortController();
  const generation = { assembly: await assembly(publisher, withInstance), limits: { clock: systemClock, patience } };
  return { handler: createHandler(generation, { log, kill: kill.signal }), kill };
}

const bodies = goldenCases().map(({ body }) => body);

describe('a notification', () => {
  it('is done when its publishers have everything', async () => {
    const publisher = testPublisher();
    const { handler } = await handlerWith(publisher);
    const [golden] = goldenCases().filter(({ name }) => name === 'nova.exists');

    const verdict = await handler.handle(delivery(golden?.body ?? ''));

    expect(verdict).toEqual({ kind: 'done' });
    expect(publisher.samples.length).toBe(golden?.samples.length);
    expect(publisher.events.length).toBe(1);
  });

  it('is processed once when its sender repeats it, and again when it failed the first time', async () => {
    let away = true;
    const publisher = testPublisher();
    const keep = publisher.publishEvents;
    const { handler } = await handlerWith({
      ...publisher,
      async publishEvents(batch, signal) {
        if (away) throw new Error('away');
        await keep?.(batch, signal);
      },
    });
    const body = JSON.stringify({
      message_id: 'm',
      event_type: 'x.y',
      priority: 'INFO',
      payload: {},
      _unique_id: 'u1',
      timestamp: '2026-03-01 00:00:00',
      publisher_id: 'p',
    });

    const first = await handler.handle(delivery(body));
    away = false;
    const second = await handler.handle(delivery(body));
    const third = await handler.handle(delivery(body));

    expect(first).toMatchObject({ kind: 'dead', reason: expect.stringMatching(/x\.y: publisher test:\/\/: away/) });
    expect([second, third]).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(publisher.events.length).toBe(1);
  });

  it('goes back to the broker when work on it is broken off', async () => {
    const { handler, kill } = await handlerWith(
      {
        ...testPublisher(),
        publishEvents: (_batch, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
      10_000,
    );
    const handling = handler.handle(
      delivery(JSON.stringify({ event_type: 'x', priority: 'info', payload: {}, timestamp: '2026-03-01' })),
    );

    kill.abort(new Error('the end'));

    expect(await handling).toEqual({ kind: 'abandoned' });
  });

  it('has ids that stay the same when it is delivered again', async () => {
    const runs = [testPublisher(), testPublisher()];
    for (const publisher of runs) {
      const { handler } = await handlerWith(publisher);
      for (const body of bodies) await handler.handle(delivery(body));
    }
    const ids = runs.map(({ samples }) => samples.map(({ id }) => id));

    expect(ids[0]).toEqual(ids[1]);
    expect(ids[0]?.length).toBeGreaterThan(300);
  });

  it('never makes the handler reject, whatever it holds', async () => {
    const { handler } = await handlerWith();
    const messages = bodies.map((body) => body.slice(0, 6000));
    const wild = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .tuple(
          fc.constantFrom(...messages),
          fc.nat(),
          fc.constantFrom('', '0', 'null', '"', '[', '}', '1e999', '\\u0000', 'NaN'),
          fc.nat(20),
        )
        .map(([text, at, noise, cut]) =>
          Buffer.from(text.slice(0, at % text.length) + noise + text.slice((at % text.length) + cut)),
        ),
      fc
        .record({
          event_type: fc.constantFrom(
            'compute.instance.exists',
            'hardware.ipmi.x',
            'http.request',
            'telemetry.polling',
            'image.send',
            'identity.authenticate',
          ),
          priority: fc.constantFrom('INFO', 'SAMPLE', 'ERROR'),
          payload: fc.oneof(
            fc.jsonValue(),
            fc.record({ samples: fc.jsonValue() }),
            fc.record({ payload: fc.jsonValue(), request: fc.jsonValue() }),
          ),
          timestamp: fc.oneof(fc.constantFrom('2026-03-01 00:00:00', '9999-12-31T23:59:59-05:00'), fc.jsonValue()),
          publisher_id: fc.jsonValue(),
          message_id: fc.jsonValue(),
        })
        .map((message) => Buffer.from(JSON.stringify(message))),
    );

    await fc.assert(
      fc.asyncProperty(wild, fc.constantFrom('application/json', 'text/plain'), async (body, contentType) => {
        const verdict = await handler.handle(delivery(body, contentType));

        expect(['done', 'dead']).toContain(verdict.kind);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['nested beyond all reason', `{"payload": ${'['.repeat(100_000)}1.0${']'.repeat(100_000)}}`],
    ['an integer of 5 000 digits', `{"payload": ${'9'.repeat(5000)}}`],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['a byte order mark', '\ufeff{}'],
    ['a number', '5'],
    ['an envelope around nothing', '{"oslo.version": "2.0", "oslo.message": ""}'],
    ['of priority null', '{"priority": null, "event_type": "x.y", "payload": {}}'],
  ])('is a dead letter when it is %s', async (_what, body) => {
    const { handler } = await handlerWith();

    expect(await handler.handle(delivery(body))).toMatchObject({ kind: 'dead' });
  });
});

describe('the endpoint for instances', () => {
  it('knows legacy and versioned notifications of Nova', async () => {
    const publisher = testPublisher();
    const { handler } = await handlerWith(publisher, 0, true);
    const chosen = goldenCases().filter(({ name }) => ['nova.exists', 'nova-versioned.instance.exists'].includes(name));

    for (const { body } of chosen) await handler.handle(delivery(body));

    const made = publisher.samples.filter(({ name }) => name === 'instance');
    expect(made.map(({ volume }) => volume)).toEqual([1, 1]);
    expect(publisher.samples.filter(({ name }) => name === 'vcpus').length).toBeGreaterThan(1);
  });
});
