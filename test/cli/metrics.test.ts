import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePorts } from '../helpers/ports.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';

const misbehaving = fileURLToPath(new URL('../fixtures/plugins/misbehaves.mjs', import.meta.url));

describeWith('rabbitmq', 'a polling agent that is watched', () => {
  let broker: Rabbitmq;
  let folder: string;
  let port: number;
  let agent: AgentProcess | undefined;

  beforeAll(async () => {
    broker = await startRabbitmq();
  });

  afterAll(() => broker[Symbol.asyncDispose]());

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'metrics-'));
    [port = 0] = await freePorts(1);
  });

  afterEach(async () => {
    agent?.kill('SIGKILL');
    await agent?.ended;
    rmSync(folder, { recursive: true });
  });

  function configure(meters: string, conf = '', brokerPort = broker.port): string {
    const polling = join(folder, 'polling.yaml');
    writeFileSync(polling, `sources:\n  - {name: all, interval: 1, meters: [${meters}]}\n`);
    const file = join(folder, 'ceilometer.conf');
    writeFileSync(
      file,
      `[DEFAULT]\ntransport_url = rabbit://guest:guest@127.0.0.1:${brokerPort}/${broker.vhost()}\n${conf}\n` +
        `[polling]\ncfg_file = ${polling}\nmetrics_listen_addresses = ${port}\npollster_timeout = 0.8\n`,
    );
    return file;
  }

  function start(file: string): AgentProcess {
    agent = new AgentProcess('polling', ['--config-file', file, '--polling-namespaces', 'host']);
    return agent;
  }

  const page = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  const status = async (path: string) => page(path).then((answer) => answer.status, String);

  /** The values by name and labels. */
  async function metrics(): Promise<ReadonlyMap<string, number>> {
    const answer = await page('/metrics').catch(() => undefined);
    const lines = (await answer?.text())?.split('\n').filter((line) => line !== '' && !line.startsWith('#')) ?? [];
    return new Map(lines.map((line) => [line.replace(/ [^ ]+$/, ''), Number(line.replace(/.* /, ''))]));
  }

  const polls = (result: string, pollster = 'hardware.memory.total') =>
    `ceilometer_polling_polls_total{source="all",namespace="host",pollster="${pollster}",result="${result}"}`;

  it('counts polls, samples, cycles and what the broker has of them', async () => {
    start(configure('"hardware.memory.*", "bad.*"', `plugins = ${misbehaving}`));

    await eventually(async () => (await metrics()).get(polls('success')) ?? 0).toBeGreaterThan(2);
    await eventually(
      async () => (await metrics()).get('ceilometer_delivery_samples_total{state="confirmed"}') ?? 0,
    ).toBeGreaterThan(2);
    const seen = await metrics();

    const labels = '{source="all",namespace="host",pollster="hardware.memory.total"}';
    const results = ['success', 'failed', 'timeout', 'skipped'].map((result) => seen.get(polls(result)) ?? 0);
    expect(seen.get(`ceilometer_polling_poll_seconds_count${labels}`)).toBe(results.reduce((sum, one) => sum + one));
    expect(seen.get(`ceilometer_polling_samples_total${labels}`)).toBe(seen.get(polls('success')));
    expect(seen.get(`ceilometer_polling_resources${labels}`)).toBe(1);
    expect(seen.get('ceilometer_polling_cycle_seconds_count{interval="1"}')).toBeGreaterThan(1);
    expect(seen.get(polls('timeout', 'bad.hangs'))).toBe(1);
    expect(seen.get(polls('skipped', 'bad.hangs'))).toBeGreaterThan(0);
    expect(seen.get('ceilometer_delivery_connected')).toBe(1);
    expect(seen.get('ceilometer_delivery_dropped_samples_total{reason="queue_full"}')).toBe(0);
    expect(seen.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    await eventually(() => status('/health')).toBe(200);
  });

  it('tells of tasks, pollsters and the last error', async () => {
    start(configure('"hardware.cpu.load.1min", "bad.throws"', `plugins = ${misbehaving}`));
    await eventually(async () => (await metrics()).get(polls('failed', 'bad.throws')) ?? 0).toBeGreaterThan(0);
    await eventually(() => status('/health')).toBe(200);

    const told = (await (await page('/status')).json()) as Record<string, unknown>;

    expect(told).toMatchObject({
      namespaces: ['host'],
      tasks: [
        {
          interval: 1,
          pollsters: expect.arrayContaining([
            expect.objectContaining({
              pollster: 'bad.throws',
              last: expect.objectContaining({
                result: 'failed',
                failure: expect.stringContaining('the sensor is broken'),
              }),
              lastSuccess: null,
            }),
            expect.objectContaining({ pollster: 'hardware.cpu.load.1min', resources: 1 }),
          ]),
        },
      ],
      delivery: { connected: true },
      services: [],
    });
  });

  it('is not healthy without a broker, and says so', async () => {
    const [nobody] = await freePorts(1);
    start(configure('"hardware.memory.*"', '', nobody));

    // On a busy machine a cycle may be late now and then, which is told, too.
    await eventually(() => page('/health').then((answer) => answer.json(), String)).toEqual({
      healthy: false,
      faults: ['not connected to the message broker'],
    });
    expect(await status('/health')).toBe(503);
  });

  it('keeps socket and counters over a reload', async () => {
    const file = configure('"hardware.memory.total"');
    const running = start(file);
    await eventually(async () => (await metrics()).get(polls('success')) ?? 0).toBeGreaterThan(1);
    const before = (await metrics()).get(polls('success')) ?? 0;

    configure('"hardware.memory.total", "hardware.cpu.load.1min"');
    running.kill('SIGHUP');
    await running.shows(/configuration reloaded/);
    const after = await metrics();

    expect(after.get(polls('success'))).toBeGreaterThanOrEqual(before);
    await eventually(
      async () => (await metrics()).get(polls('success', 'hardware.cpu.load.1min')) ?? 0,
    ).toBeGreaterThan(0);
    running.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
  });
});
