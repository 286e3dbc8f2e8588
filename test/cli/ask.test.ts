import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRoutes } from '../../src/collector/api/routes.ts';
import { type Api, startApi } from '../../src/collector/api/server.ts';
import { createCollector } from '../../src/collector/collector.ts';
import { createSqlStore } from '../../src/collector/store/sql-store.ts';
import { openSqlite } from '../../src/collector/store/sqlite.ts';
import { NOON, record, SECOND } from '../collector/samples.ts';
import { run } from '../helpers/agent-process.ts';
import { recordingLog } from '../helpers/recording-log.ts';

describe('ceilometer meters, resources, samples and statistics', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ask-'));
  const file = join(folder, 'ceilometer.conf');
  const log = recordingLog();
  const store = createSqlStore(openSqlite(join(folder, 'c.db')));
  const retention = { timeToLive: undefined, maxBytes: undefined };
  const kill = new AbortController().signal;
  const collector = createCollector({ store, read: () => undefined, retention, log, kill });
  let api: Api;

  beforeAll(async () => {
    api = await startApi(
      { host: '127.0.0.1', port: 0, token: 's3cr3t' },
      { routes: createRoutes(collector, '1', () => NOON / 1000), log },
    );
    const port = new URL(api.url).port;
    writeFileSync(file, `[collector]\napi_port = ${port}\napi_token = s3cr3t\n`);
    const many = Array.from({ length: 1500 }, (_, index) =>
      record({ time: NOON + index * SECOND, volume: BigInt(index) }),
    );
    const odd = record({ meter: 'a,"b', resourceId: 'x\u001b[31m', volume: 2n ** 64n, type: 'gauge', unit: '' });
    await store.write([...many, odd], []);
  });
  afterAll(async () => {
    await collector.stop();
    await api.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const ceilometer = (...args: readonly string[]) => run('ceilometer', [...args, '--config-file', file]);

  it('prints a table in which nothing steers the terminal', async () => {
    const { code, stdout, stderr } = await ceilometer('samples', '--meter', 'a,"b');

    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'TIME                 METER  RESOURCE                VOLUME  UNIT',
      '2026-11-24T12:00:00  a,"b   x\u{fffd}[31m    18446744073709551616',
      '',
    ]);
  });

  it('prints JSON lines over all pages, numbers exact', async () => {
    const { code, stdout } = await ceilometer('samples', '--format', 'jsonl', '--limit', '0', '--order', 'asc');

    const lines = stdout.trimEnd().split('\n');
    expect([code, lines.length]).toEqual([0, 1501]);
    expect(stdout).toContain('"counter_volume": 18446744073709551616,');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ counter_volume: 1499, resource_metadata: { host: 'h1' } });
  });

  it('prints CSV with quotes where they are needed', async () => {
    const { code, stdout } = await ceilometer('meters', '--format', 'csv');

    expect(code).toBe(0);
    expect(stdout).toBe(
      'name,type,unit,resources,samples,late,interval,first_sample,last_sample\n' +
        '"a,""b",gauge,,1,1,0,,2026-11-24T12:00:00,2026-11-24T12:00:00\n' +
        'cpu,cumulative,ns,1,1500,0,1,2026-11-24T12:00:00,2026-11-24T12:24:59\n',
    );
  });

  it('keeps to the limit and the filters', async () => {
    const { stdout } = await ceilometer(
      'samples',
      '--format',
      'csv',
      '--limit',
      '3',
      '--meter=cpu',
      '--end=2026-11-24T12:00:02',
    );
    const resources = await ceilometer('resources', '--format', 'csv', '--meter', 'cpu');

    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(resources.stdout).toContain('r1,p1,,u1,,openstack,');
  });

  it('computes statistics by period', async () => {
    const { code, stdout } = await ceilometer('statistics', 'cpu', '--period', '600', '--start', '2026-11-24T12:00:00');

    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['START', 'RESOURCE', 'PROJECT', 'UNIT', 'COUNT', 'MIN', 'MAX', 'AVG', 'RATE/S'],
      ['2026-11-24T12:00:00', 'ns', '600', '0', '599', '299.5', '1'],
      ['2026-11-24T12:10:00', 'ns', '600', '600', '1199', '899.5', '1'],
      ['2026-11-24T12:20:00', 'ns', '300', '1200', '1499', '1349.5', '1'],
      [''],
    ]);
  });

  it('says in one line what is wrong', async () => {
    const server = createServer((_request, response) => response.writeHead(404).end('<html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const elsewhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const wrong = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await ceilometer(...args);
      expect([code, stdout]).toEqual([1, '']);
      return stderr;
    };

    expect(await wrong('samples', '--url', 'http://127.0.0.1:1')).toMatch(
      /^ceilometer: no collector answers at http:\/\/127\.0\.0\.1:1 \(.*\): start ceilometer-collector, or name it by --url\n$/,
    );
    expect(await wrong('samples', '--url', 'nonsense')).toMatch(
      /^ceilometer: --url: expected http:\/\/HOST:PORT, got nonsense\n$/,
    );
    expect(await wrong('samples', '--url', elsewhere)).toMatch(/is no collector \(HTTP status 404\)\n$/);
    expect(await wrong('samples', '--start', 'noon')).toMatch(/^ceilometer: http.*: start: expected an ISO 8601 date/);
    expect(await wrong('samples', '--limit', '1.5')).toMatch(/--limit: expected a whole number/);
    expect(await wrong('statistics')).toMatch(/^ceilometer: Not enough non-option arguments/);
    const denied = await run('ceilometer', ['meters', '--config-file', file], { CEILOMETER_API_TOKEN: 'wrong' });
    expect(denied.stderr).toMatch(/the bearer token is wrong: set \[collector\] api_token, or CEILOMETER_API_TOKEN\n$/);
  });
});
