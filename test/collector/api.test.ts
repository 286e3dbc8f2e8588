import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openapiDocument, operations } from '../../src/collector/api/openapi.ts';
import { createRoutes } from '../../src/collector/api/routes.ts';
import {
  answers,
  type MeterPage,
  type ResourceDetail,
  type ResourcePage,
  type StatisticsPage,
} from '../../src/collector/api/schema.ts';
import { type Api, type ApiOptions, startApi } from '../../src/collector/api/server.ts';
import { type Collector, createCollector } from '../../src/collector/collector.ts';
import type { SampleRecord } from '../../src/collector/record.ts';
import { createSqlStore } from '../../src/collector/store/sql-store.ts';
import { openSqlite } from '../../src/collector/store/sqlite.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { HOUR, NOON, record, SECOND } from './samples.ts';

const log = recordingLog();

async function started(options: Partial<ApiOptions> = {}): Promise<{ api: Api; collector: Collector }> {
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  const store = createSqlStore(openSqlite(join(folder, 'c.db')), () => NOON / 1000);
  const kill = new AbortController().signal;
  const retention = { timeToLive: 3600, maxBytes: 1e9 };
  const collector = createCollector({ store, read: () => undefined, retention, log, kill });
  const api = await startApi(
    { host: '127.0.0.1', port: 0, token: '', ...options },
    { routes: createRoutes(collector, '1.2.3', () => (NOON + HOUR) / 1000), log },
  );
  onTestFinished(async () => {
    await collector.stop();
    await api.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return { api, collector };
}

describe('the read API', () => {
  let api: Api;
  let collector: Collector;

  beforeEach(async () => {
    ({ api, collector } = await started());
  });

  const give = (...records: readonly SampleRecord[]) =>
    collector.take(
      'telemetry.publisher.h1',
      records.map((one) => () => one),
    );
  const text = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(api.url + path, init);
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  const json = async (path: string) => JSON.parse((await text(path)).body);

  /** Enough of everything for each list to have something in it. */
  async function fill(): Promise<void> {
    const times = [0, 10, 20, 30, 90, 100];
    await give(
      ...times.map((seconds) => record({ time: NOON + seconds * SECOND, volume: BigInt(seconds) })),
      record({ meter: 'load', type: 'gauge', unit: '', volume: 0.5, resourceId: 'a/b ü', projectId: null }),
    );
    await give(record({ metadata: '{"host": "h2"}', time: NOON + 110 * SECOND, volume: 5n }));
  }

  const paths: Readonly<Record<(typeof operations)[number]['path'], string>> = {
    '/v1/status': '/v1/status',
    '/v1/meters': '/v1/meters',
    '/v1/resources': '/v1/resources',
    '/v1/resources/{resource_id}': '/v1/resources/r1',
    '/v1/samples': '/v1/samples',
    '/v1/statistics': '/v1/statistics?meter=cpu&period=60',
  };

  it.each(operations)('answers $path as its description says', async ({ path, answer }) => {
    await fill();

    const { status, body, headers } = await text(paths[path]);

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    const value = v.parse(answers[answer], JSON.parse(body));
    // Nothing that the description lists stays unproven for want of an example.
    for (const [key, part] of Object.entries(value)) if (Array.isArray(part)) expect(part, key).not.toEqual([]);
  });

  it.each(operations)('takes all parameters of $path, and no others', async ({ path, query }) => {
    await fill();
    const examples: Readonly<Record<string, string>> = {
      search: 'c',
      meter: 'cpu',
      resource: 'r1',
      project: 'p1',
      user: 'u1',
      source: 'openstack',
      start: '2026-11-24T12:00:00',
      end: '2026-11-25',
      order: 'asc',
      metadata: 'false',
      limit: '2',
      period: '60',
      group: 'resource',
    };
    const { paths: described } = await json('/v1/openapi.json');
    const names: string[] = described[path].get.parameters
      .filter((one: { in: string }) => one.in === 'query')
      .map(({ name }: { name: string }) => name);
    const given = names.filter((name) => name !== 'marker').map((name) => `${name}=${examples[name]}`);
    const base = paths[path].split('?')[0];

    expect(described[path].get.operationId).toBe(query);
    expect((await text(`${base}?${given.join('&')}`)).status).toBe(200);
    const refused = await text(`${base}?${[...given, 'nonsense=1'].join('&')}`);
    expect(refused.status).toBe(400);
    expect(v.parse(answers.Problem, JSON.parse(refused.body)).error).toBe('nonsense: there is no such parameter');
  });

  it('serves its description, in which every reference leads somewhere', async () => {
    const document = await json('/v1/openapi.json');

    expect(document).toEqual(JSON.parse(JSON.stringify(openapiDocument('1.2.3'))));
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual([...operations.map(({ path }) => path), '/v1/openapi.json']);
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    for (const name of references) expect(document.components.schemas).toHaveProperty(name ?? '');
    const { counter_volume: volume } = document.components.schemas.SamplePage.properties.samples.items.properties;
    expect(volume.type).toBe('number');
  });

  it('tells the status in figures that add up', async () => {
    await fill();

    const status = v.parse(answers.Status, await json('/v1/status'));

    expect(status).toMatchObject({
      version: '1.2.3',
      now: '2026-11-24T13:00:00',
      store: { kind: 'sqlite', max_bytes: 1e9, time_to_live: 3600, samples: 8, series: 2, meters: 2, resources: 2 },
      received: { samples: 8, stored: 8, duplicates: 0, unsigned: 0, bad_signature: 0, invalid: 0, dead_letters: 0 },
      agents: [{ agent: 'telemetry.publisher.h1', host: 'h1', source: 'openstack', samples: 8 }],
      late_total: 1,
      late: [{ meter: 'cpu', resource_id: 'r1', last_sample: '2026-11-24T12:01:50', interval: 10 }],
      gaps: [{ start: '2026-11-24T12:00:30', end: '2026-11-24T12:01:30', gaps: 1, interval: 10 }],
    });
  });

  it('writes integers exactly, floats as such, and metadata as it came', async () => {
    const metadata = '{"b": 18446744073709551615, "a": 1.0, "é": [null, true]}';
    await give(record({ volume: 18446744073709551615n, metadata }), record({ volume: 2, time: NOON + 1 }));

    const { body } = await text('/v1/samples?order=asc');
    const statistics = await text('/v1/statistics?meter=cpu');

    expect(body).toContain('"counter_volume": 18446744073709551615,');
    expect(body).toContain('"counter_volume": 2.0,');
    expect(body).toContain('"resource_metadata": {"b": 18446744073709551615, "a": 1.0, "\\u00e9": [null, true]}');
    expect(statistics.body).toContain('"max": 18446744073709551615,');
  });

  it('pages by markers until there is no more', async () => {
    await give(...Array.from({ length: 25 }, (_, index) => record({ time: NOON + index, resourceId: `r${index}` })));
    async function all(path: string, name: string): Promise<unknown[]> {
      const rows: unknown[] = [];
      let marker: string | null = null;
      do {
        const page = await json(`${path}limit=10${marker === null ? '' : `&marker=${marker}`}`);
        rows.push(...page[name]);
        marker = page.next;
      } while (marker !== null);
      return rows;
    }

    expect(
      new Set(
        (await all('/v1/samples?', 'samples')).map(
          (row) => v.parse(v.looseObject({ message_id: v.string() }), row).message_id,
        ),
      ).size,
    ).toBe(25);
    expect(await all('/v1/resources?', 'resources')).toHaveLength(25);
    expect(await all('/v1/statistics?meter=cpu&group=resource&', 'statistics')).toHaveLength(25);
    expect(await all('/v1/meters?', 'meters')).toHaveLength(1);
  });

  it('lists only what the filters leave', async () => {
    await fill();

    const meters: MeterPage = await json('/v1/meters?resource=r1');
    const resources: ResourcePage = await json('/v1/resources?meter=load');
    const statistics: StatisticsPage = await json('/v1/statistics?meter=cpu&project=p1&start=2026-11-24T12:01:00');

    expect(meters.meters.map(({ name, interval, late }) => [name, interval, late])).toEqual([['cpu', 10, 1]]);
    expect(resources.resources.map(({ resource_id: id }) => id)).toEqual(['a/b ü']);
    expect(statistics.statistics.map(({ count, rate, resets }) => [count, rate, resets])).toEqual([[3, 0.75, 1]]);
  });

  it('finds resources whose ids have to be escaped', async () => {
    await fill();

    const detail: ResourceDetail = await json(`/v1/resources/${encodeURIComponent('a/b ü')}`);

    expect(detail).toMatchObject({ resource_id: 'a/b ü', project_id: null, metadata: { host: 'h1' } });
    expect((await json('/v1/resources/r1')).metadata_history).toMatchObject([
      { since: '2026-11-24T12:00:00', metadata: { host: 'h1' } },
      { since: '2026-11-24T12:01:50', metadata: { host: 'h2' } },
    ]);
  });

  it.each([
    ['/v1/samples?limit=0', 400, /^limit: /],
    ['/v1/samples?limit=10001', 400, /^limit: /],
    ['/v1/samples?limit=x', 400, /^limit: /],
    ['/v1/samples?start=yesterday', 400, /^start: expected an ISO 8601 date/],
    ['/v1/samples?start=2026-01-02&end=2026-01-01', 400, /^end: is before start/],
    ['/v1/samples?meter=a&meter=b', 400, /^meter: is given more than once/],
    ['/v1/samples?marker=x', 400, /^marker: /],
    ['/v1/samples?marker=W10', 400, /^marker: /],
    ['/v1/statistics', 400, /^meter: /],
    ['/v1/statistics?meter=cpu&period=-1', 400, /^period: /],
    ['/v1/resources/none', 404, /there is no resource none/],
    ['/v1/resources/%ff', 400, /not encoded/],
    ['/v2/samples', 404, /there is no \/v2\/samples/],
  ])('refuses %s', async (path, status, error) => {
    const refused = await text(path);

    expect(refused.status).toBe(status);
    expect(v.parse(answers.Problem, JSON.parse(refused.body)).error).toMatch(error);
  });

  it('takes a zone in dates, also with a plus sign that was not escaped', async () => {
    await fill();

    for (const start of ['2026-11-24T14:01:30%2B02:00', '2026-11-24T14:01:30+02:00', '2026-11-24T12:01:30Z'])
      expect((await json(`/v1/samples?start=${start}`)).samples).toHaveLength(3);
  });

  it('answers nothing but GET and HEAD', async () => {
    const [posted, asked] = [
      await text('/v1/meters', { method: 'POST' }),
      await text('/v1/meters', { method: 'HEAD' }),
    ];

    expect(posted.status).toBe(405);
    expect(posted.headers.get('allow')).toBe('GET, HEAD');
    expect([asked.status, asked.body]).toEqual([200, '']);
  });

  it('is not read by pages of other names that lead to this address', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      request(`${api.url}/v1/meters`, { headers: { Host: 'evil.example:80' } }, ({ statusCode }) =>
        resolve(statusCode),
      ).end();
    });

    expect(status).toBe(403);
  });
});

describe('the read API with a token', () => {
  it('answers to who shows it, and to nobody else', async () => {
    const { api } = await started({ host: '0.0.0.0', token: 'tökén' });
    const url = `${api.url.replace('0.0.0.0', '127.0.0.1')}/v1/meters`;
    const status = async (authorization?: string) =>
      (await fetch(url, authorization === undefined ? {} : { headers: { authorization } })).status;
    const token = Buffer.from('tökén', 'utf8').toString('latin1');

    expect(await status()).toBe(401);
    expect(await status('Bearer wrong')).toBe(401);
    expect(await status(`Basic ${token}`)).toBe(401);
    expect(await status(`Bearer ${token}`)).toBe(200);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])('is not opened on %s without one', async (host) => {
    await expect(started({ host })).rejects.toThrow(/can be reached by others: set api_token/);
  });
});
