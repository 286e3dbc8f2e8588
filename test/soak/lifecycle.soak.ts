/** Machines that live for less than an interval are billed, however they end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { slotAt, slotGrid, slotStart } from '../../src/agent/slots.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { describeWithLibvirtd, type Libvirtd, startLibvirtd } from '../helpers/libvirtd.ts';
import { defineMortal } from '../helpers/mortal-guest.ts';
import { type PolledSample, polledSamples } from '../helpers/polled-samples.ts';
import { until } from '../helpers/until.ts';

/** Seconds. */
const INTERVAL = 300;
const LIVES = [5, 15, 30, 60];
/** What bills a machine: each of these has to have a value at its start and a later one for its end. */
const COUNTERS = [
  'cpu',
  'disk.device.read.bytes',
  'disk.device.write.requests',
  'network.incoming.bytes',
  'network.outgoing.packets',
];

/** A host whose next slot comes only when all is over. */
function farFromSlots(seconds: number): string {
  for (let number = 0; ; number++) {
    const host = `host-${number}`;
    const grid = slotGrid(host, INTERVAL * 1000);
    if (slotStart(grid, slotAt(grid, Date.now()) + 1) - Date.now() > seconds * 1000) return host;
  }
}

describeWithLibvirtd('machines that live for less than an interval', () => {
  let libvirtd: Libvirtd;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lifecycle-'));
    libvirtd = await startLibvirtd();
    const network = 'ip addr add 10.9.0.1/24 dev br0; ip neigh add 10.9.0.5 lladdr 02:00:00:00:00:05 dev br0';
    await libvirtd.inside('sh', '-c', network);
    for (const life of LIVES) {
      await defineMortal(libvirtd, `off-${life}`, life);
      await defineMortal(libvirtd, `destroyed-${life}`);
    }
  });

  afterAll(async () => {
    await libvirtd?.close();
    rmSync(folder, { recursive: true });
  });

  it('have samples of their start and of their end, counters included', async () => {
    writeFileSync(join(folder, 'polling.yaml'), `sources: [{name: all, interval: ${INTERVAL}, meters: ["*"]}]\n`);
    const conf = [
      `[DEFAULT]\nhost = ${farFromSlots(200)}\nlibvirt_uri = ${libvirtd.uri}`,
      `[compute]\nlifecycle_samples = true\n[polling]\ncfg_file = ${folder}/polling.yaml`,
    ];
    writeFileSync(join(folder, 'ceilometer.conf'), conf.join('\n'));
    const args = ['--config-file', join(folder, 'ceilometer.conf'), '--polling-namespaces', 'compute'];
    const agent = new AgentProcess('polling', [...args, '--output', 'jsonl']);
    await agent.shows(/cycle done/);
    const ofSlot = polledSamples(agent).length;

    const destroyedAt = new Map<string, number>();
    const lives = LIVES.map(async (life) => {
      const name = `destroyed-${life}`;
      await libvirtd.virsh(['start', `off-${life}`], ['start', name]);
      await sleep(life * 1000);
      destroyedAt.set(name, Date.now());
      await libvirtd.virsh(['destroy', name]);
    });
    const over = new AbortController();
    // Whatever is sent to this neighbour goes to all ports of the bridge: the counters of the NICs grow all the time.
    const traffic = (async () => {
      while (!over.signal.aborted) {
        await libvirtd.inside('bash', '-c', 'for i in {1..5}; do echo x > /dev/udp/10.9.0.5/9; done');
        await sleep(200);
      }
    })();
    await Promise.all(lives);
    const running = async () => (await libvirtd.virsh(['list', '--name'])).trim();
    for (let waited = 0; (await running()) !== ''; waited++) {
      if (waited > 60) throw new Error(`still there: ${await running()}`);
      await sleep(1000);
    }
    over.abort();
    await traffic;
    const ends = () =>
      new Set([...agent.stderr.matchAll(/"?resource"?[=:]\s*"?([0-9a-f-]{36}).*\/(?:last|end)/g)].map(([, id]) => id));
    await until(`eight ends in\n${agent.stderr}`, () => ends().size === 2 * LIVES.length);
    agent.kill('SIGTERM');
    const { code } = await agent.ended;

    const samples = polledSamples(agent).slice(ofSlot);
    expect(code).toBe(0);
    expect(new Set(samples.map((sample) => sample.message_id)).size).toBe(samples.length);
    const rows: string[] = [];
    for (const name of LIVES.flatMap((life) => [`off-${life}`, `destroyed-${life}`])) {
      // A sample of a NIC has the name of its tap there.
      const mine = samples.filter(
        ({ resource_metadata: { name: its, display_name: shown } }) => its === name || shown === name,
      );
      for (const meter of COUNTERS) {
        const [first, ...later] = mine.filter((sample) => sample.counter_name === meter);
        const last = later.at(-1);
        expect(last?.counter_volume, `${meter} of ${name}`).toBeGreaterThanOrEqual(first?.counter_volume ?? Number.NaN);
        expect(last?.monotonic_time).toBeGreaterThan(first?.monotonic_time ?? Number.NaN);
      }
      rows.push(rowOf(name, mine));
      const gone = destroyedAt.get(name);
      if (gone === undefined) continue;
      const lost = (gone - timeOf(lastOf(mine, 'network.incoming.bytes'))) / 1000;
      const life = Number(/\d+$/.exec(name));
      // An eighth of its life or a second, and as much again for a machine that is busy.
      expect(lost, `seconds of ${name} that nobody has seen`).toBeLessThan(2 * Math.max(1, life / 8) + 1);
    }
    console.log(rows.join('\n'));
  });
});

function lastOf(samples: readonly PolledSample[], meter: string): PolledSample | undefined {
  return samples.findLast((sample) => sample.counter_name === meter);
}

function timeOf(sample: PolledSample | undefined): number {
  return Date.parse(`${sample?.timestamp}Z`);
}

function rowOf(name: string, samples: readonly PolledSample[]): string {
  const start = timeOf(samples[0]);
  const cells = ['cpu', 'disk.device.read.bytes', 'network.incoming.bytes'].map((meter) => {
    const sample = lastOf(samples, meter);
    return `${meter} ${sample?.counter_volume} after ${((timeOf(sample) - start) / 1000).toFixed(1)} s`;
  });
  return `${name}: ${samples.length} samples, ${cells.join(', ')}`;
}
