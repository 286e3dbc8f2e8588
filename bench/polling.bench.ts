/** The polling agent as its user runs it, against real QEMU domains and a real broker. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { createInspector } from '../src/libvirt/index.ts';
import { AgentProcess } from '../test/helpers/agent-process.ts';
import { createDomains, plainDomains } from '../test/helpers/domains.ts';
import { describeWithLibvirtd, type Libvirtd, startLibvirtd } from '../test/helpers/libvirtd.ts';
import { recordingLog } from '../test/helpers/recording-log.ts';
import { cyclesOf, reachCycle } from './agent-cycles.ts';
import { nodeArguments } from './node-arguments.ts';
import { usePlace } from './place.ts';
import { cpuSeconds, residentMegabytes } from './process-cost.ts';
import { median, milliseconds, report } from './report.ts';

const COUNTS = (process.env['CEILOMETER_BENCH_DOMAINS'] ?? '1,10,50,100').split(',').map(Number);
const CYCLES = Number(process.env['CEILOMETER_BENCH_CYCLES'] ?? 50);
/** Cycles before those that are measured: V8 compiles during most of the first; the others tell whether age costs. */
const AGES = [60, 300];

describeWithLibvirtd('polling', () => {
  const place = usePlace();
  let libvirtd: Libvirtd;

  beforeAll(async () => {
    libvirtd = await startLibvirtd();
  });

  afterAll(() => libvirtd?.close());

  function configFile(): string {
    const polling = join(place.folder, 'polling.yaml');
    writeFileSync(polling, 'sources:\n  - {name: all, interval: 1, meters: ["*"]}\n');
    const file = join(place.folder, 'ceilometer.conf');
    writeFileSync(
      file,
      `[DEFAULT]\nlibvirt_uri = ${libvirtd.uri}\n` +
        `transport_url = rabbit://guest:guest@127.0.0.1:${place.broker.port}/${place.broker.vhost()}\n` +
        `[polling]\ncfg_file = ${polling}\npollster_timeout = 20\ncycle_timeout = 20\n[publisher]\ntelemetry_secret = s3cr3t\n`,
    );
    return file;
  }

  /** A row for each age of the agent. */
  async function measureAgent(domains: number): Promise<string[][]> {
    const args = ['--config-file', configFile(), '--polling-namespaces', 'compute'];
    const agent = new AgentProcess('polling', args, {}, nodeArguments);
    const pid = agent.child.pid ?? 0;
    const rows: string[][] = [];
    for (const age of AGES) {
      await reachCycle(agent, age);
      const [before, libvirtBefore] = [cpuSeconds(pid), cpuSeconds(libvirtd.pid())];
      await reachCycle(agent, age + CYCLES);
      const cpu = ((cpuSeconds(pid) - before) * 1000) / CYCLES;
      const libvirtCpu = ((cpuSeconds(libvirtd.pid()) - libvirtBefore) * 1000) / CYCLES;
      const measured = cyclesOf(agent).slice(age, age + CYCLES);
      rows.push([
        String(domains),
        `${age + 1} to ${age + CYCLES}`,
        String(measured.at(-1)?.samples ?? Number.NaN),
        milliseconds(cpu),
        milliseconds(cpu / domains),
        milliseconds(median(measured.map(({ wall }) => wall))),
        milliseconds(libvirtCpu),
        residentMegabytes(pid).toFixed(0),
      ]);
    }
    agent.kill('SIGTERM');
    const { code } = await agent.ended;
    if (code !== 0) throw new Error(`the agent ended with ${code}\n${agent.stderr}`);
    return rows;
  }

  async function firstSample(): Promise<number> {
    const args = ['--config-file', configFile(), '--polling-namespaces', 'compute', '--once', '--output', 'jsonl'];
    const started = performance.now();
    const agent = new AgentProcess('polling', args);
    let first = Number.NaN;
    agent.child.stdout?.once('data', () => {
      first = performance.now() - started;
    });
    const { code, stderr } = await agent.ended;
    if (code !== 0) throw new Error(`the agent ended with ${code}\n${stderr}`);
    return first;
  }

  async function roundTrips(count: number): Promise<string[][]> {
    const rows: string[][] = [];
    for (const parallelCalls of [1, 2, 3, 4, 5]) {
      const inspector = createInspector({ uri: libvirtd.uri, log: recordingLog(), parallelCalls });
      const signal = AbortSignal.timeout(120_000);
      const domains = await inspector.domains(signal);
      const walls: number[] = [];
      const asked: number[] = [];
      const libvirtBefore = cpuSeconds(libvirtd.pid());
      const cpuBefore = process.cpuUsage();
      for (let round = 0; round < 10; round += 1) {
        const beforeDomains = performance.now();
        await inspector.domains(signal);
        const beforeStats = performance.now();
        await inspector.stats(domains, signal);
        asked.push(beforeStats - beforeDomains);
        walls.push(performance.now() - beforeStats);
      }
      const { user, system } = process.cpuUsage(cpuBefore);
      rows.push([
        String(parallelCalls),
        milliseconds(median(walls)),
        milliseconds((user + system) / 10_000),
        milliseconds(((cpuSeconds(libvirtd.pid()) - libvirtBefore) * 1000) / 10),
        milliseconds(median(asked)),
      ]);
      await inspector.close();
    }
    report(
      `Bulk statistics of ${count} domains by calls in flight`,
      'Medians of ten. The list of domains is kept by events: asking for it costs no call while nothing changes.',
      ['calls in flight', 'wall ms', 'client CPU ms', 'libvirtd CPU ms', 'list of domains ms'],
      rows,
    );
    return rows;
  }

  it('costs', async () => {
    const rows: string[][] = [];
    const firsts: string[][] = [];
    let running = 0;
    for (const count of COUNTS) {
      await createDomains(libvirtd, plainDomains(count).slice(running));
      running = count;
      rows.push(...(await measureAgent(count)));
      firsts.push([
        String(count),
        milliseconds(median([await firstSample(), await firstSample(), await firstSample()])),
      ]);
    }
    report(
      'The agent over a cycle of all compute meters',
      `${CYCLES} cycles at two ages of an agent, at an interval of 1 s, signed and confirmed; domains have 2 disks and 2 interfaces.`,
      [
        'domains',
        'cycles',
        'samples',
        'agent CPU ms',
        'per domain',
        'wall ms (median)',
        'libvirtd CPU ms',
        'resident MB',
      ],
      rows,
    );
    report(
      'From the start of the process to the first sample',
      'Median of three runs with `--once --output jsonl`.',
      ['domains', 'ms'],
      firsts,
    );
    await roundTrips(running);
  });
});
