import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { SamplePage, Status } from '../../src/collector/api/schema.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { startChromium } from '../helpers/chromium.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Rabbitmq, startRabbitmq } from '../helpers/rabbitmq.ts';
import { describeWith } from '../helpers/services.ts';

let folder: string;
let running: AgentProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'up-'));
});

afterEach(async () => {
  for (const agent of running) agent.kill('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

interface Up {
  readonly agent: AgentProcess;
  readonly url: string;
}

/** Resolves when a cycle was shown. */
async function up(...args: readonly string[]): Promise<Up> {
  const agent = new AgentProcess('ceilometer', ['up', '--port', '0', ...args], { XDG_STATE_HOME: folder });
  running.push(agent);
  const [, url = ''] = await agent.shows(/Page +(http:\/\/127\.0\.0\.1:[0-9]+)\/$/m);
  await agent.shows(/^\S+ +up: [0-9]+ samples of /m);
  return { agent, url };
}

async function ask<T>(url: string, path: string): Promise<T> {
  const response = await fetch(url + path);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

/** Samples of all cycles that were shown. */
function shownSamples({ stdout }: AgentProcess): number {
  const counts = [...stdout.matchAll(/up: ([0-9,]+) samples? of/g)].map(([, count = '']) => count.replace(',', ''));
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

describe('ceilometer up', () => {
  it('polls this machine, stores the samples, and tells where they are', async () => {
    const { agent, url } = await up();

    expect(agent.stdout).toMatch(/^Polling +\S+ every 10 s: the host(, and| alone, for no)/m);
    expect(agent.stdout).toContain(`Samples  straight to ${join(folder, 'ceilometer', 'collector.db')}\n`);
    const { samples } = await ask<SamplePage>(url, '/v1/samples?meter=hardware.memory.total');
    expect(samples).toEqual([expect.objectContaining({ counter_unit: 'KB', counter_type: 'gauge' })]);
    expect(samples[0]?.counter_volume).toBeGreaterThan(1000);
    const { agents, received } = await ask<Status>(url, '/v1/status');
    expect(agents).toEqual([expect.objectContaining({ agent: 'ceilometer.polling', source: 'openstack' })]);
    expect(received.stored).toBe(shownSamples(agent));
  });

  it('ends at once on Ctrl-C, and nothing is lost of what it showed', async () => {
    const { agent } = await up('--interval', '1');
    await agent.shows(/(up: [\s\S]*){4}/);

    const asked = performance.now();
    agent.kill('SIGINT');
    const { code, stderr } = await agent.ended;
    const took = performance.now() - asked;

    expect(code).toBe(0);
    expect(stderr).not.toMatch(/ERROR/);
    expect(took).toBeLessThan(4000);
    const again = await up();
    const { store } = await ask<Status>(again.url, '/v1/status');
    expect(store.samples).toBeGreaterThanOrEqual(shownSamples(agent) + shownSamples(again.agent));
  });

  it('gives the samples to the publishers of pipeline.yaml, too', async () => {
    const published = join(folder, 'published');
    const [conf, pipeline] = [join(folder, 'ceilometer.conf'), join(folder, 'pipeline.yaml')];
    writeFileSync(conf, `[DEFAULT]\npipeline_cfg_file = ${pipeline}\nstate_path = ${join(folder, 'state')}\n`);
    writeFileSync(
      pipeline,
      'sources:\n  - {name: s, meters: ["hardware.memory.*"], sinks: [k]}\n' +
        `sinks:\n  - {name: k, publishers: ["notifier://", "file://${published}?json"]}\n`,
    );

    const { agent, url } = await up('--config-file', conf);
    agent.kill('SIGINT');
    const { code, stderr } = await agent.ended;

    expect(url).not.toBe('');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = readFileSync(published, 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(line).toContain('hardware.memory.');
    expect(existsSync(join(folder, 'state', 'collector.db'))).toBe(true);
  });

  it('says in one line what to do about a port that is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const agent = new AgentProcess('ceilometer', ['up', '--port', String(port)], { XDG_STATE_HOME: folder });
    running.push(agent);

    const { code, stderr } = await agent.ended;

    expect(code).toBe(1);
    expect(stderr).toBe(
      `ceilometer: port ${port} of 127.0.0.1 is in use, maybe by another collector: name one with --port, or any with --port 0\n`,
    );
  });

  it('says which process has the store already', async () => {
    const first = await up();
    const second = new AgentProcess('ceilometer', ['up', '--port', '0'], { XDG_STATE_HOME: folder });
    running.push(second);

    const { code, stderr } = await second.ended;

    expect(code).toBe(1);
    expect(stderr).toBe(
      `ceilometer: ${join(folder, 'ceilometer', 'collector.db')} is in use by process ${first.agent.child.pid}\n`,
    );
  });

  it.each([
    [['--interval', '0'], '--interval: expected whole seconds, 1 or more'],
    [['--port', '70000'], '--port: expected a port, or 0 for any that is free'],
  ])('refuses %s', async (args, message) => {
    const agent = new AgentProcess('ceilometer', ['up', ...args], { XDG_STATE_HOME: folder });
    running.push(agent);

    const { code, stderr } = await agent.ended;

    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

describeWith('chromium', 'ceilometer up and its page', () => {
  it('has the first samples on the page soon after the start', async () => {
    const browser = await startChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();

    const { url } = await up();
    await page.goto(url);

    await page.locator('article', { hasText: 'hardware.memory.total' }).waitFor();
    await page.locator('#agents tr', { hasText: 'ceilometer.polling' }).waitFor();
    const memory = page.locator('article', { hasText: 'hardware.memory.total' });
    await memory.scrollIntoViewIfNeeded();
    await eventually(() => memory.locator('.now').innerText()).toMatch(/^[\d.,]+\s*[MGT]iB/);
  });
});

describeWith('rabbitmq', 'ceilometer up over a broker', () => {
  let broker: Rabbitmq;

  beforeAll(async () => {
    broker = await startRabbitmq();
  });
  afterAll(() => broker?.[Symbol.asyncDispose]());

  it('collects the same, and leaves the queues of other agents alone', async () => {
    const vhost = broker.vhost();
    const connection = await broker.connect(vhost);
    onTestFinished(() => connection.close());
    const channel = await connection.createChannel();
    await channel.assertExchange('ceilometer', 'topic', { durable: false });
    for (const queue of ['notifications.sample', 'metering.sample']) {
      await channel.assertQueue(queue, { durable: false });
      await channel.bindQueue(queue, 'ceilometer', queue);
      channel.sendToQueue(queue, Buffer.from('{}'));
    }

    const url = `rabbit://guest:guest@127.0.0.1:${broker.port}/${vhost}`;
    const { agent, url: api } = await up('--transport-url', url);

    expect(agent.stdout).toContain('over the broker to');
    expect(agent.stdout).not.toContain('guest:guest');
    const stored = async () => (await ask<Status>(api, '/v1/status')).store.samples;
    await eventually(stored).toBe(shownSamples(agent));
    for (const queue of ['notifications.sample', 'metering.sample'])
      expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 1, consumerCount: 0 });
    agent.kill('SIGINT');
    expect(await agent.ended).toMatchObject({ code: 0 });
  });
});
