/** The agent as its user runs it, against real domains that outlive it, or that live for less than an interval. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { createDomains, domainUuid } from '../helpers/domains.ts';
import { describeWithLibvirtd, type Libvirtd, startLibvirtd } from '../helpers/libvirtd.ts';
import { defineMortal } from '../helpers/mortal-guest.ts';
import { polledSamples } from '../helpers/polled-samples.ts';
import { until } from '../helpers/until.ts';

function volumes(agent: { readonly stdout: string }, meter: string): readonly number[] {
  return polledSamples(agent).flatMap((sample) => (sample.counter_name === meter ? [sample.counter_volume] : []));
}

const BYTES = 'network.incoming.bytes';
const DELTA = 'network.incoming.bytes.delta';

describeWithLibvirtd('ceilometer-polling on real domains', () => {
  let libvirtd: Libvirtd;
  let folder: string;
  const agents: AgentProcess[] = [];

  beforeAll(async () => {
    libvirtd = await startLibvirtd();
    await createDomains(libvirtd, [{ name: 'lasting', displayName: 'lasting', nics: ['sink'] }]);
    // Whatever is sent to this neighbour goes to all ports of the bridge.
    const network = 'ip addr add 10.9.0.1/24 dev br0; ip neigh add 10.9.0.5 lladdr 02:00:00:00:00:05 dev br0';
    await libvirtd.inside('sh', '-c', network);
  });

  afterAll(() => libvirtd?.close());

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'compute-live-'));
    mkdirSync(join(folder, 'state'));
  });

  afterEach(() => {
    for (const agent of agents.splice(0)) agent.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  interface Settings {
    readonly interval: number;
    readonly meters: string;
    readonly conf: string;
  }

  function start({ interval, meters, conf }: Settings): AgentProcess {
    const polling = join(folder, 'polling.yaml');
    writeFileSync(polling, `sources:\n  - {name: all, interval: ${interval}, meters: ${meters}}\n`);
    const file = join(folder, 'ceilometer.conf');
    writeFileSync(file, `[DEFAULT]\nlibvirt_uri = ${libvirtd.uri}\n[polling]\ncfg_file = ${polling}\n${conf}`);
    const args = ['--config-file', file, '--polling-namespaces', 'compute', '--output', 'jsonl'];
    const agent = new AgentProcess('polling', args);
    agents.push(agent);
    return agent;
  }

  const counting = (conf = `[DEFAULT]\nstate_path = ${folder}/state\n`) =>
    start({ interval: 1, meters: `[${BYTES}, ${DELTA}]`, conf });

  async function traffic(packets: number): Promise<void> {
    await libvirtd.inside('bash', '-c', `for i in {1..${packets}}; do echo x > /dev/udp/10.9.0.5/9; done`);
  }

  async function polls(agent: AgentProcess, count: number): Promise<void> {
    await until(`${count} polls in\n${agent.stderr}`, () => volumes(agent, DELTA).length >= count);
  }

  async function stopped(agent: AgentProcess): Promise<AgentProcess> {
    agent.kill('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    return agent;
  }

  /** What was sent as deltas, and by how much the counter has grown between the first and the last poll. */
  function account(...runs: readonly AgentProcess[]) {
    const bytes = runs.flatMap((run) => volumes(run, BYTES));
    const deltas = runs.flatMap((run) => volumes(run, DELTA));
    return { billed: deltas.reduce((sum, delta) => sum + delta, 0), grown: (bytes.at(-1) ?? 0) - (bytes[0] ?? 0) };
  }

  it('bills each byte once over a restart, those that came meanwhile too', async () => {
    const first = counting();
    await polls(first, 2);
    await stopped(first);
    await traffic(50);

    const second = counting();
    await polls(second, 2);
    await stopped(second);

    const { billed, grown } = account(first, second);
    expect(volumes(second, DELTA)[0]).toBeGreaterThan(50 * 40);
    expect(billed).toBe(grown);
  });

  it('bills each byte once over a reload, without a folder to write to', async () => {
    const agent = counting('');
    await polls(agent, 1);

    await traffic(50);
    agent.kill('SIGHUP');
    await agent.shows(/configuration reloaded/);
    const before = volumes(agent, DELTA).length;
    await polls(agent, before + 1);
    await stopped(agent);

    const { billed, grown } = account(agent);
    expect(grown).toBeGreaterThan(50 * 40);
    expect(billed).toBe(grown);
  });

  it('goes on after SIGKILL from what it has written, and survives a file that is no state', async () => {
    const first = counting();
    await polls(first, 1);
    const file = () =>
      join(
        folder,
        'state',
        readdirSync(join(folder, 'state')).find((name) => name.endsWith('.compute.counters.json')) ?? '',
      );
    await until('state is written', () => file().endsWith('.json'));
    first.kill('SIGKILL');
    await first.ended;
    const kept = Number(/"fa:16:[^"]+","(\d+)"/.exec(readFileSync(file(), 'utf8'))?.[1]);
    await traffic(20);

    const second = counting();
    await polls(second, 1);
    second.kill('SIGKILL');
    await second.ended;
    writeFileSync(file(), readFileSync(file(), 'utf8').slice(0, 60));
    const third = counting();
    await polls(third, 2);
    await stopped(third);

    expect(volumes(second, DELTA)[0]).toBe((volumes(second, BYTES)[0] ?? 0) - kept);
    expect(volumes(third, DELTA)[0]).toBe(0);
    expect(third.stderr.match(/state of an earlier run is unusable, starting afresh/g)).toHaveLength(1);
  });

  it('takes up a domain that was started anew meanwhile with what it has had since', async () => {
    const first = counting();
    await polls(first, 1);
    await stopped(first);

    await libvirtd.virsh(['destroy', 'lasting'], ['start', 'lasting']);
    await traffic(200);
    const second = counting();
    await polls(second, 1);
    await stopped(second);

    expect(volumes(second, DELTA)[0]).toBe(volumes(second, BYTES)[0]);
    expect(volumes(second, DELTA)[0]).toBeGreaterThan(0);
  });

  it('polls machines that live for less than an interval when they start and when they end', async () => {
    const shortLived = ['short-1', 'short-2', 'short-3'];
    const others = ['saved', 'killed', 'destroyed', 'asked'];
    for (const name of shortLived) await defineMortal(libvirtd, name, 8);
    for (const name of others) await defineMortal(libvirtd, name);
    const agent = start({
      // So long that no slot of its grid begins meanwhile.
      interval: 2_000_000,
      meters: '["*"]',
      conf: '[DEFAULT]\ndebug = true\n[compute]\nlifecycle_samples = true\n',
    });
    await agent.shows(/cycle done/);
    const slot = polledSamples(agent).length;

    await libvirtd.virsh(...[...shortLived, ...others].map((name) => ['start', name]));
    const read = () => agent.stderr.match(/domain was read after its start/g) ?? [];
    await until(`seven readings after starts in\n${agent.stderr}`, () => read().length === 7);
    await libvirtd.signalDomain('killed', 'KILL');
    await libvirtd.virsh(['managedsave', 'saved'], ['destroy', 'destroyed'], ['shutdown', 'asked']);
    const ends = () => new Set([...agent.stderr.matchAll(/([0-9a-f-]{36})\W.*\/(?:last|end)\b/g)].map(([, id]) => id));
    await until(`seven ends in\n${agent.stderr}`, () => ends().size === 7);
    await stopped(agent);

    const samples = polledSamples(agent);
    const told = (name: string, meter: string) =>
      samples
        .slice(slot)
        .filter(
          ({ resource_id: id }) => id.startsWith(domainUuid(name)) || id.startsWith(`${name}-${domainUuid(name)}`),
        )
        .filter((sample) => sample.counter_name === meter);
    const states = (name: string) => told(name, 'power.state').map((sample) => sample.counter_volume);
    expect(new Set(samples.map((sample) => sample.message_id)).size).toBe(samples.length);
    for (const name of [...shortLived, ...others]) {
      for (const meter of ['cpu', 'disk.device.read.bytes', BYTES]) {
        const [first, ...later] = told(name, meter);
        const last = later.at(-1);
        expect(last, `the last ${meter} of ${name} in\n${agent.stderr}`).toBeDefined();
        expect(last?.counter_volume, `${meter} of ${name}`).toBeGreaterThanOrEqual(first?.counter_volume ?? -1);
        expect(last?.monotonic_time).toBeGreaterThan(first?.monotonic_time ?? Number.NaN);
      }
      expect(told(name, 'cpu_util').length).toBeGreaterThan(0);
    }
    // QEMU answers while it saves, and not when it was killed.
    expect(states('saved')).toEqual([1, 3]);
    expect(states('killed')).toEqual([1, 1]);
    // A shutdown leaves some milliseconds, and so may the end by force.
    for (const name of [...shortLived, 'asked', 'destroyed']) {
      const [first, ...later] = states(name);
      expect([first, later.join()]).toEqual([1, expect.stringMatching(/^(1|1,4|4)$/)]);
    }
  });
});
