import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { MeterPage, ResourceDetail, SamplePage, StatisticsPage, Status } from '../../src/collector/api/schema.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { startChromium } from '../helpers/chromium.ts';
import { createDomains, type DomainOptions, domainUuid } from '../helpers/domains.ts';
import { eventually } from '../helpers/eventually.ts';
import { describeWithLibvirtd, type Libvirtd, startLibvirtd } from '../helpers/libvirtd.ts';
import { PATIENCE } from '../helpers/patience.ts';
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

/** Of the tests with virtual machines. */
const vms: readonly DomainOptions[] = [
  { name: 'instance-00000a01', displayName: 'web', disks: ['raw', 'raw'], nics: ['sink'] },
  { name: 'instance-00000a02', displayName: 'db', disks: ['raw'] },
];

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

/** Another cycle may be under way: the first one comes at start, the second as soon as its slot of the grid begins. */
async function storesAllThatIsShown(agent: AgentProcess, stored: () => Promise<number>): Promise<void> {
  await eventually(async () => (await stored()) - shownSamples(agent)).toBe(0);
}

describe('ceilometer up', () => {
  it('polls this machine, stores the samples, and tells where they are', async () => {
    const { agent, url } = await up();

    expect(agent.stdout).toMatch(/^Polling +\S+ every 10 s: the host(, and| alone, for no)/m);
    expect(agent.stdout).toContain(`Samples  straight to ${join(folder, 'ceilometer', 'collector.db')}\n`);
    const { samples } = await ask<SamplePage>(url, '/v1/samples?meter=hardware.memory.total');
    expect(samples.length).toBeGreaterThan(0);
    for (const sample of samples) {
      expect(sample).toMatchObject({ counter_unit: 'KB', counter_type: 'gauge' });
      expect(sample.counter_volume).toBeGreaterThan(1000);
    }
    const { agents } = await ask<Status>(url, '/v1/status');
    expect(agents).toEqual([expect.objectContaining({ agent: 'ceilometer.polling', source: 'openstack' })]);
    await storesAllThatIsShown(agent, async () => (await ask<Status>(url, '/v1/status')).received.stored);
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
    const shown = shownSamples(agent) + shownSamples(again.agent);
    const { store } = await ask<Status>(again.url, '/v1/status');
    expect(store.samples).toBeGreaterThanOrEqual(shown);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends well on %s while it is still being loaded', async (signal) => {
    const tell =
      "process.on('newListener', (name) => { if (name === 'SIGTERM') setImmediate(() => console.log('listens')) })";
    const agent = new AgentProcess('ceilometer', ['up', '--port', '0'], { XDG_STATE_HOME: folder }, [
      ...['--import', `data:text/javascript,${encodeURIComponent(tell)}`],
    ]);
    running.push(agent);
    await agent.shows(/^listens$/m);

    agent.kill(signal);
    const { code, stdout, stderr } = await agent.ended;

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('Page');
    expect(existsSync(join(folder, 'ceilometer', 'collector.db.pid'))).toBe(false);
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
    page.setDefaultTimeout(PATIENCE);

    const { url } = await up();
    await page.goto(url);

    await page.locator('article', { hasText: 'hardware.memory.total' }).waitFor();
    await page.locator('#agents tr', { hasText: 'ceilometer.polling' }).waitFor();
    const memory = page.locator('article', { hasText: 'hardware.memory.total' });
    await memory.scrollIntoViewIfNeeded();
    await eventually(() => memory.locator('.now').innerText()).toMatch(/^[\d.,]+\s*[MGT]iB/);
  });
});

describeWithLibvirtd('ceilometer up beside a libvirt that answers', () => {
  let libvirtd: Libvirtd;
  beforeAll(async () => {
    libvirtd = await startLibvirtd();
    await createDomains(libvirtd, vms);
  });
  afterAll(() => libvirtd?.close());

  async function upWithDomains(...args: readonly string[]): Promise<Up> {
    const conf = join(folder, 'ceilometer.conf');
    writeFileSync(conf, `[DEFAULT]\nstate_path = ${folder}\nlibvirt_uri = ${libvirtd.uri}\n`);
    return up('--interval', '5', '--config-file', conf, ...args);
  }

  /** Meters of virtual machines, and that each has samples of both. */
  async function expectCompute(url: string): Promise<void> {
    const meters = async () => {
      const page = await ask<MeterPage>(url, '/v1/meters?limit=1000');
      return Object.fromEntries(page.meters.map(({ name, resources }) => [name, resources]));
    };
    // From the second cycle on, for cpu_util is made of two readings.
    await eventually(meters).toMatchObject({
      ...{ cpu_util: 2, cpu: 2, vcpus: 2, memory: 2, 'disk.device.write.requests': 3, 'hardware.memory.total': 1 },
    });
    const id = domainUuid('instance-00000a01');
    const { metadata, meters: own } = await ask<ResourceDetail>(url, `/v1/resources/${id}`);
    expect(metadata).toMatchObject({ display_name: 'web', name: 'instance-00000a01' });
    expect(own.map(({ name }) => name)).toContain('cpu');
    const { statistics } = await ask<StatisticsPage>(url, `/v1/statistics?meter=memory&resource=${id}`);
    expect(statistics[0]?.count).toBeGreaterThan(1);
  }

  it('polls the virtual machines, too, and says so', async () => {
    const { agent, url } = await upWithDomains();

    expect(agent.stdout).toContain(`every 5 s: the host, and the virtual machines of ${libvirtd.uri}`);
    await expectCompute(url);
    agent.kill('SIGINT');
    expect(await agent.ended).toMatchObject({ code: 0 });
  });

  describeWith('rabbitmq', 'over a broker', () => {
    it('collects their samples', async () => {
      await using broker = await startRabbitmq();
      const transport = `rabbit://guest:guest@127.0.0.1:${broker.port}/${broker.vhost()}`;

      const { agent, url } = await upWithDomains('--transport-url', transport);

      await expectCompute(url);
      agent.kill('SIGINT');
      expect(await agent.ended).toMatchObject({ code: 0, stderr: '' });
    });
  });

  describeWith('chromium', 'in a browser', () => {
    it('shows them on the page', async () => {
      const browser = await startChromium();
      onTestFinished(() => browser.close());
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE);

      const { url } = await upWithDomains();
      await page.goto(`${url}/#/resource/${domainUuid('instance-00000a01')}`);

      await page.locator('h2, h1', { hasText: 'web' }).first().waitFor();
      await page.locator('article', { hasText: 'vcpus' }).first().waitFor();
    });
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
    await storesAllThatIsShown(agent, async () => (await ask<Status>(api, '/v1/status')).store.samples);
    for (const queue of ['notifications.sample', 'metering.sample'])
      expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 1, consumerCount: 0 });
    agent.kill('SIGINT');
    expect(await agent.ended).toMatchObject({ code: 0 });
  });
});
