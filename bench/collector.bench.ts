/** The collector: how fast it stores, how small, and how soon it answers. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Status } from '../src/collector/api/schema.ts';
import type { SampleRecord } from '../src/collector/record.ts';
import { openPostgresql } from '../src/collector/store/postgresql.ts';
import { createSqlStore } from '../src/collector/store/sql-store.ts';
import { openSqlite } from '../src/collector/store/sqlite.ts';
import type { Store } from '../src/collector/store/store.ts';
import { MESSAGE_PROPERTIES } from '../src/messaging/envelope.ts';
import { createSampleMessages } from '../src/messaging/sample-messages.ts';
import { isoTimestamp, type Sample, sampleId } from '../src/sample.ts';
import { AgentProcess } from '../test/helpers/agent-process.ts';
import { type Postgresql, startPostgresql } from '../test/helpers/postgresql.ts';
import { usePlace } from './place.ts';
import { cpuSeconds, residentMegabytes } from './process-cost.ts';
import { milliseconds, report } from './report.ts';

const RESOURCES = 1000;
const METERS = 20;
const SLOTS = Number(process.env['CEILOMETER_BENCH_SLOTS'] ?? 10);
const BATCH = 50;
const QUEUE = 'collector.notifications.sample';

describe('the collector', () => {
  const place = usePlace();
  let server: Postgresql;
  beforeAll(async () => {
    server = await startPostgresql();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** What polling agents send of instances: metadata of some hundred bytes that stays, 64-bit counters. */
  function* load(): Generator<readonly Sample[]> {
    const start = Date.now() - SLOTS * 300_000;
    const metadata = Array.from({ length: RESOURCES }, (_, index) => ({
      display_name: `instance-${index}`,
      host: `compute-${index % 40}`,
      instance_id: resourceId(index),
      instance_type: 'm1.small',
      status: 'active',
      flavor: { id: '2', name: 'm1.small', vcpus: 1, ram: 2048, disk: 20, ephemeral: 0, swap: 0 },
      image: { id: resourceId(index % 7), name: 'debian' },
      vcpus: 1,
      memory_mb: 2048,
      disk_gb: 20,
      ephemeral_gb: 0,
      root_gb: 20,
      task_state: '',
      architecture: 'x86_64',
    }));
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let meter = 0; meter < METERS; meter++) {
        const name = `disk.device.meter.${meter}`;
        for (let index = 0; index < RESOURCES; index += BATCH) {
          yield Array.from({ length: BATCH }, (_, offset) => {
            const resource = index + offset;
            return {
              id: sampleId('openstack', name, resourceId(resource), slot),
              name,
              type: 'cumulative',
              unit: 'B',
              volume: 2n ** 40n + BigInt(slot * 1_000_003 + resource),
              resourceId: resourceId(resource),
              projectId: resourceId(resource % 50),
              projectName: null,
              userId: resourceId(resource % 90),
              userName: null,
              monotonicTime: slot,
              source: 'openstack',
              timestamp: isoTimestamp(start + slot * 300_000 + meter),
              metadata: metadata[resource] ?? {},
            };
          });
        }
      }
    }
  }

  async function preload(vhost: string): Promise<number> {
    const connection = await place.broker.connect(vhost);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(QUEUE, { durable: false });
    const options = { secret: '', format: 'messagingv2', routingKeys: [QUEUE], maxMessageBytes: 1_000_000 } as const;
    const toMessages = createSampleMessages({ ...options, refused: () => {} });
    let samples = 0;
    for (const batch of load()) {
      samples += batch.length;
      for (const { body } of toMessages(batch)) channel.sendToQueue(QUEUE, body, MESSAGE_PROPERTIES);
      if (samples % 10_000 === 0) await channel.waitForConfirms();
    }
    await channel.waitForConfirms();
    await connection.close();
    return samples;
  }

  async function collect(name: string, database: string) {
    const vhost = place.broker.vhost();
    const samples = await preload(vhost);
    const folder = join(place.folder, vhost);
    mkdirSync(folder);
    const file = join(folder, 'ceilometer.conf');
    writeFileSync(
      file,
      `[DEFAULT]\ntransport_url = rabbit://guest:guest@127.0.0.1:${place.broker.port}/${vhost}\nstate_path = ${folder}\n[collector]\napi_port = 0\n${database}`,
    );
    const agent = new AgentProcess('collector', ['--config-file', file]);
    const pid = agent.child.pid ?? 0;
    const [, url] = await agent.shows(/(http:\/\/127\.0\.0\.1:[0-9]+)/);
    const status = async () => (await fetch(`${url}/v1/status`)).json() as Promise<Status>;
    const started = performance.now();
    let peak = 0;
    let seen = await status();
    while (seen.store.samples < samples && agent.child.exitCode === null) {
      await new Promise((wake) => setTimeout(wake, 200));
      peak = Math.max(peak, residentMegabytes(pid));
      seen = await status();
    }
    const seconds = (performance.now() - started) / 1000;
    const cpu = cpuSeconds(pid);
    agent.kill('SIGTERM');
    await agent.ended;
    return [
      name,
      String(samples),
      (samples / seconds).toFixed(0),
      ((cpu / samples) * 1000).toFixed(3),
      peak.toFixed(0),
      (seen.store.bytes / samples).toFixed(0),
    ];
  }

  it('stores what the broker has', async () => {
    const rows = [
      await collect('SQLite', ''),
      await collect('PostgreSQL', `[database]\nconnection = ${await server.database()}\n`),
    ];

    report(
      'Collector: storing',
      `Preloaded messages of ${BATCH} samples of ${RESOURCES} resources with ${METERS} meters each. CPU is that of the collector and its SQLite, and includes its start. Bytes are all that the store takes, indexes, metadata and remembered ids included.`,
      ['store', 'samples', 'samples/s', 'CPU s per 1000', 'MB', 'bytes per sample'],
      rows,
    );
  });

  it('answers about a day', async () => {
    const folder = mkdtempSync(join(place.folder, 'day-'));
    const url = await server.database();
    const rows: string[][] = [];
    for (const [name, store] of [
      ['SQLite', createSqlStore(openSqlite(join(folder, 'day.db')))],
      ['PostgreSQL', createSqlStore(openPostgresql(url))],
    ] as const) {
      const samples = await fillDay(store);
      const { bytes } = await store.status(DAY_START);
      const span = { start: DAY_START, end: DAY_START + 86_400_000_000 };
      const all = { limit: 10_000, after: undefined };
      const asked = { ...span, meter: 'cpu', period: 3_600_000_000, group: undefined };
      rows.push([
        name,
        String(samples),
        (bytes / samples).toFixed(0),
        await timed(() => store.statistics(asked, all)),
        await timed(() => store.statistics({ ...asked, resource: resourceId(7) }, all)),
        await timed(() => store.samples({ ...span, meter: 'cpu', resource: resourceId(7) }, all, true)),
        await timed(() => store.samples({ ...span }, { limit: 100, after: undefined }, false)),
        await timed(() => store.status(DAY_START)),
      ]);
      await store.close();
    }
    rmSync(folder, { recursive: true });

    report(
      'Collector: answering',
      `A day of two meters over ${RESOURCES} resources every 300 s; the statistics are of one of them, by hour, with rates. Median of five, in milliseconds, without HTTP.`,
      [
        'store',
        'samples',
        'bytes per sample',
        'statistics, all',
        'one resource',
        'its samples',
        'latest 100',
        'status',
      ],
      rows,
    );
  });
});

const DAY_START = Date.UTC(2026, 10, 23) * 1000;

function resourceId(index: number): string {
  return `8f3c1a52-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

async function fillDay(store: Store): Promise<number> {
  let samples = 0;
  for (let slot = 0; slot < 288; slot++) {
    for (const meter of ['cpu', 'memory.usage']) {
      const records: SampleRecord[] = Array.from({ length: RESOURCES }, (_, index) => ({
        id: sampleId('openstack', meter, resourceId(index), slot),
        meter,
        type: 'cumulative',
        unit: 'ns',
        volume: 10n ** 15n + BigInt(slot * 300_000_000 + index),
        resourceId: resourceId(index),
        projectId: resourceId(index % 50),
        projectName: null,
        userId: null,
        userName: null,
        source: 'openstack',
        metadata: `{"host": "compute-${index % 40}"}`,
        time: DAY_START + slot * 300_000_000 + index,
      }));
      await store.write(records, []);
      samples += records.length;
    }
  }
  return samples;
}

async function timed(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return milliseconds(times.sort((a, b) => a - b)[2] ?? Number.NaN);
}
