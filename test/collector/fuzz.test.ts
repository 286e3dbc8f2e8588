/** What comes from outside may be anything: each request gets one clear answer, and each message an end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openapiDocument } from '../../src/collector/api/openapi.ts';
import { createRoutes } from '../../src/collector/api/routes.ts';
import { type Api, startApi } from '../../src/collector/api/server.ts';
import { type Collector, createCollector } from '../../src/collector/collector.ts';
import { createMessageReader } from '../../src/collector/messages.ts';
import { openPostgresql } from '../../src/collector/store/postgresql.ts';
import { createSqlStore } from '../../src/collector/store/sql-store.ts';
import { openSqlite } from '../../src/collector/store/sqlite.ts';
import type { Store } from '../../src/collector/store/store.ts';
import { wrapNotification } from '../../src/messaging/envelope.ts';
import type { JsonValue } from '../../src/wire/value.ts';
import { type Postgresql, startPostgresql } from '../helpers/postgresql.ts';
import { type RecordingLog, recordingLog } from '../helpers/recording-log.ts';
import { describeWith } from '../helpers/services.ts';
import { NOON, record, SECOND } from './samples.ts';

describe('with SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  stands(async () => createSqlStore(openSqlite(join(folder, 'c.db'))));
});

describeWith('postgresql', 'with PostgreSQL', () => {
  let server: Postgresql;
  beforeAll(async () => {
    server = await startPostgresql();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  stands(async () => createSqlStore(openPostgresql(await server.database())));
});

const RUNS = { numRuns: 250 };

const odd = fc.constantFrom(
  ...['', ' ', '0', '-1', '1', '1.5', '10000', '10001', '1e3', '1e400', '0x10', 'NaN', 'Infinity', '9007199254740993'],
  ...['9'.repeat(400), '\0', 'a\0b', '\ud800', '\udfff\ud800', '☃', 'é', "'; DROP TABLE samples; --", '%', '%%', '_'],
  ...['\\', '"', '{}', '[]', 'null', 'true', 'false', 'cpu', 'r1', 'x'.repeat(3000), '\u202e', '\n', '$1', '?1'],
  ...['0001-01-01', '9999-12-31T23:59:59.999999', '2026-11-24T12:00:00', '2026-11-24T12:00:00+14:00', '2026-13-01'],
  ...['10000-01-01', '1970-01-01', 'asc', 'desc', 'resource', 'project', '1e-9', '1e300', '0.0000001', '-0'],
);

const part = fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 10 }));

/** As a marker is written, with anything in it. */
const marker = fc
  .array(fc.oneof(part, fc.integer(), fc.double(), fc.constantFrom(null, true, {}, [], 1e300, -1, 2 ** 53, 0.5)), {
    maxLength: 6,
  })
  .map((value) => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url'));

const names = [
  'search',
  'meter',
  'resource',
  'project',
  'user',
  'source',
  'start',
  'end',
  'order',
  'metadata',
  'limit',
];
const parameter = fc.oneof(
  fc.tuple(fc.constantFrom(...names, 'period', 'group', 'marker', 'nonsense'), part),
  fc.tuple(fc.constant('marker'), marker),
);

/** Parameters that the path has, so that it gets as far as the store. */
const known = openapiDocument('1')['paths'] as Record<string, { get: { parameters?: { name: string; in: string }[] } }>;
const request = fc.constantFrom(...Object.keys(known)).chain((path) => {
  const own = (known[path]?.get.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name);
  const value = (name: string) => (name === 'marker' ? fc.oneof(marker, part) : part);
  const query = fc
    .uniqueArray(fc.constantFrom(...own, ...(own.length === 0 ? ['x'] : [])), { maxLength: 3 })
    .chain((chosen) => fc.tuple(...chosen.map((name) => fc.tuple(fc.constant(name), value(name)))));
  return fc.tuple(
    part.map((id) => path.replace(/\{\w+\}/, encode(id))),
    fc.oneof(query, fc.array(parameter, { maxLength: 5 })),
    fc.boolean(),
  );
});

/** Lone surrogates cannot be written in a URL. */
const encode = (text: string) => encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));

const sampleFields = [
  ...['message_id', 'counter_name', 'counter_type', 'counter_unit', 'counter_volume', 'resource_id', 'project_id'],
  ...['project_name', 'user_id', 'user_name', 'source', 'timestamp', 'resource_metadata', 'message_signature'],
];

const sound = {
  message_id: 'm',
  counter_name: 'cpu',
  counter_type: 'gauge',
  counter_unit: 'x',
  counter_volume: 1,
  resource_id: 'r9',
  project_id: 'p',
  user_id: 'u',
  source: 's',
  resource_metadata: { a: 1 },
  timestamp: '2026-11-24T12:00:00',
};

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
const values = fc.oneof(part, fc.double(), fc.integer(), fc.bigInt().map(String), json);
const sample = fc.oneof(
  json,
  fc
    .tuple(fc.uuid(), fc.constantFrom(...sampleFields), values)
    .map(([id, field, value]) => ({ ...sound, message_id: id, [field]: value }) as JsonValue),
);

function stands(open: () => Promise<Store>): void {
  let store: Store;
  let collector: Collector;
  let api: Api;
  let log: RecordingLog;

  beforeAll(async () => {
    log = recordingLog();
    store = await open();
    const read = createMessageReader({ secret: '', meteringTopic: 'metering', source: 'openstack' });
    const retention = { timeToLive: undefined, maxBytes: undefined };
    collector = createCollector({ store, read, retention, log, kill: new AbortController().signal });
    api = await startApi(
      { host: '127.0.0.1', port: 0, token: '' },
      { routes: createRoutes(collector, '1.2.3'), assets: new Map(), log },
    );
    const records = Array.from({ length: 300 }, (_, index) =>
      record({ time: NOON + index * 10 * SECOND, resourceId: `r${index % 3}`, volume: BigInt(index) }),
    );
    await store.write(records, []);
  });
  afterAll(async () => {
    await collector?.stop();
    await api?.close();
    await store?.close();
  });

  it('any request to the API gets an answer that says what is wrong with it, or what it asked for', async () => {
    await fc.assert(
      fc.asyncProperty(request, async ([path, query, encoded]) => {
        const text = query.map(([name, value]) => `${encode(name)}=${encoded ? encode(value) : escape(value)}`);

        const response = await fetch(`${api.url}${path}?${text.join('&')}`);
        const body = await response.json();

        expect([200, 400, 404]).toContain(response.status);
        if (response.status !== 200) expect(body).toEqual({ error: expect.stringMatching(/^[^\n]{3,400}$/) });
      }),
      RUNS,
    );
    expect(log.told.filter((line) => !line.startsWith('info'))).toEqual([]);
  });

  it('any bytes on its port end in an answer or the end of the connection, and others go on', async () => {
    const { port } = new URL(api.url);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.string({ maxLength: 100 }).map((text) => Buffer.from(`GET ${text} HTTP/1.1\r\nHost: localhost\r\n\r\n`)),
          fc
            .constantFrom('//', '/..//', '/%', '/v1/%ff', '*', 'http://[', '/v1/resources/%E0%A4', '/?a=%')
            .map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)),
          fc.constant(Buffer.from(`GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)),
        ),
        async (bytes) => {
          const answered = await new Promise<string>((resolve) => {
            const socket = createConnection(Number(port), '127.0.0.1', () => socket.end(bytes));
            let text = '';
            socket.on('data', (chunk) => {
              text += chunk.toString('latin1');
            });
            socket.on('error', () => {});
            socket.on('close', () => resolve(text));
          });

          if (answered !== '') expect(answered).toMatch(/^HTTP\/1\.1 (200|400|403|404|405|431|501) /);
        },
      ),
      { numRuns: 60 },
    );
    expect((await fetch(`${api.url}/v1/status`)).status).toBe(200);
  });

  it('any message is taken, or named a dead one with a reason, and sound samples beside it are stored', async () => {
    const head = { messageId: 'm', publisherId: 'p', priority: 'SAMPLE', timestamp: 't', uniqueId: 'u' } as const;
    const wrapped = fc
      .tuple(fc.constantFrom('metering', 'telemetry.polling', 'other'), fc.array(sample, { maxLength: 5 }), json)
      .map(([eventType, samples, payload]) => {
        const list = eventType === 'metering' ? samples : { samples };
        return Buffer.from(
          wrapNotification({ ...head, eventType }, samples.length > 0 ? list : payload, 'messagingv2'),
        );
      });
    const damaged = fc
      .tuple(wrapped, fc.nat(), fc.integer({ min: 0, max: 255 }))
      .map(([bytes, at, value]) => Buffer.from(bytes).fill(value, at % bytes.length, (at % bytes.length) + 1));
    const anything = fc.oneof(wrapped, damaged, fc.uint8Array({ maxLength: 200 }).map(Buffer.from));
    let good = 0;

    await fc.assert(
      fc.asyncProperty(anything, async (body) => {
        good += 1;
        const beside = {
          ...sound,
          message_id: `good ${good}`,
          resource_id: 'beside',
          timestamp: '2026-11-24T12:00:00',
        };
        const whole = wrapNotification({ ...head, eventType: 'metering' }, [beside], 'messagingv2');
        const delivery = { contentType: 'application/json', contentEncoding: 'utf-8', headers: undefined };

        const [verdict, other] = await Promise.all([
          collector.handle({ ...delivery, body }),
          collector.handle({ ...delivery, body: Buffer.from(whole) }),
        ]);

        expect(other).toEqual({ kind: 'done' });
        if (verdict.kind === 'dead') expect(verdict.reason).toMatch(/^[^\n]{5,}$/);
        else expect(verdict).toEqual({ kind: 'done' });
      }),
      RUNS,
    );
    const beside = { start: undefined, end: undefined, resource: 'beside' };
    const { rows } = await store.samples(beside, { limit: 10_000, after: undefined }, true);
    expect(rows).toHaveLength(good);
    expect(log.told.filter((line) => line.startsWith('error'))).toEqual([]);
  });
}
