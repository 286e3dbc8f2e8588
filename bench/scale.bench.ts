/** The agent over many domains, on a fake libvirtd: what is measured is the agent alone. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { it } from 'vitest';
import { novaDomain, startFakeLibvirtd } from '../src/testing.ts';
import { AgentProcess } from '../test/helpers/agent-process.ts';
import { describeWith } from '../test/helpers/services.ts';
import { cyclesOf, reachCycle } from './agent-cycles.ts';
import { timeBySteps } from './cpu-profile.ts';
import { usePlace } from './place.ts';
import { cpuSeconds, peakResidentMegabytes, residentMegabytes } from './process-cost.ts';
import { median, milliseconds, report } from './report.ts';

const COUNTS = (process.env['CEILOMETER_BENCH_SCALE'] ?? '100,1000,10000').split(',').map(Number);
/** Domain cycles over which a figure is taken, more or less; the first cycles, which compile, are left out. */
const WORK = 20_000;
const PROFILED = 1_000;

interface Run {
  readonly domains: number;
  readonly secret?: string;
  readonly node?: readonly string[];
}

interface Cost {
  readonly samples: number;
  readonly cpu: number;
  readonly wall: number;
  readonly resident: number;
  readonly peak: number;
}

describeWith('rabbitmq', 'many domains', () => {
  const place = usePlace();

  /** Takes what the agent sends, so that the broker does not fill up. */
  async function drain(vhost: string) {
    const connection = await connect(`amqp://guest:guest@127.0.0.1:${place.broker.port}/${vhost}`);
    const channel = await connection.createChannel();
    await channel.assertExchange('ceilometer', 'topic', { durable: false, autoDelete: false });
    await channel.assertQueue('notifications.sample', { durable: false, autoDelete: false });
    await channel.consume('notifications.sample', () => undefined, { noAck: true });
    return connection;
  }

  async function measure({ domains, secret = 's3cr3t', node = [] }: Run): Promise<Cost> {
    const libvirtd = await startFakeLibvirtd({
      domains: Array.from({ length: domains }, (_, index) => novaDomain(index)),
      keepCalls: false,
    });
    const vhost = place.broker.vhost();
    const drained = await drain(vhost);
    const interval = Math.max(1, Math.ceil(domains / 200));
    const polling = join(place.folder, 'polling.yaml');
    writeFileSync(polling, `sources:\n  - {name: all, interval: ${interval}, meters: ["*"]}\n`);
    const config = join(place.folder, 'ceilometer.conf');
    writeFileSync(
      config,
      `[DEFAULT]\nlibvirt_uri = ${libvirtd.uri}\n` +
        `transport_url = rabbit://guest:guest@127.0.0.1:${place.broker.port}/${vhost}\n` +
        `[polling]\ncfg_file = ${polling}\npollster_timeout = 120\ncycle_timeout = 120\n` +
        `[publisher]\ntelemetry_secret = ${secret}\n`,
    );
    const args = ['--config-file', config, '--polling-namespaces', 'compute'];
    const agent = new AgentProcess('polling', args, {}, node);
    try {
      const pid = agent.child.pid ?? 0;
      const measured = Math.max(3, Math.round(WORK / domains / 10));
      const warmUp = domains < 1_000 ? 5 : 2;
      await reachCycle(agent, warmUp);
      const before = cpuSeconds(pid);
      await reachCycle(agent, warmUp + measured);
      const cpu = ((cpuSeconds(pid) - before) * 1000) / measured;
      const [resident, peak] = [residentMegabytes(pid), peakResidentMegabytes(pid)];
      agent.kill('SIGTERM');
      const { code, stderr } = await agent.ended;
      if (code !== 0) throw new Error(`the agent ended with ${code}\n${stderr.slice(-4000)}`);
      const last = cyclesOf(agent).slice(warmUp, warmUp + measured);
      return {
        samples: last.at(-1)?.samples ?? Number.NaN,
        cpu,
        wall: median(last.map(({ wall }) => wall)),
        resident,
        peak,
      };
    } finally {
      agent.kill('SIGKILL');
      await drained.close();
      await libvirtd.close();
    }
  }

  it('costs as much for each as for few', async () => {
    const rows: string[][] = [];
    for (const domains of COUNTS) {
      const { samples, cpu, wall, resident, peak } = await measure({ domains });
      rows.push([
        String(domains),
        String(samples),
        milliseconds(cpu),
        (cpu / domains).toFixed(3),
        milliseconds(wall),
        resident.toFixed(0),
        peak.toFixed(0),
        (80 + (40 * domains) / 1024).toFixed(0),
      ]);
    }
    report(
      'The agent over many domains',
      'A cycle of all compute meters, signed and confirmed; the domains are those of the fake libvirtd. The limit is 80 MB and 40 kB a domain.',
      ['domains', 'samples', 'agent CPU ms', 'per domain', 'wall ms', 'resident MB', 'at most', 'limit MB'],
      rows,
    );
  });

  it('spends its time on', async () => {
    const profiles = join(place.folder, 'profiles');
    await measure({ domains: PROFILED, node: ['--cpu-prof', `--cpu-prof-dir=${profiles}`] });
    const file = readdirSync(profiles).find((name) => name.endsWith('.cpuprofile')) ?? '';
    const steps = [...timeBySteps(join(profiles, file))].sort(([, a], [, b]) => b - a);
    const total = steps.reduce((sum, [, time]) => sum + time, 0);
    report(
      'What the time goes to',
      `${PROFILED} domains, from a CPU profile of the whole run, start included.`,
      ['step', 'share'],
      steps.map(([step, time]) => [step, `${((100 * time) / total).toFixed(1)} %`]),
    );
  });

  it('signs for', async () => {
    const [signed, plain] = [await measure({ domains: PROFILED }), await measure({ domains: PROFILED, secret: '' })];
    const row = (title: string, { cpu, samples }: Cost) => [
      title,
      milliseconds(cpu),
      ((cpu * 1000) / samples).toFixed(2),
    ];
    report(
      'What signing costs',
      `${PROFILED} domains, with and without \`[publisher] telemetry_secret\`.`,
      ['samples are', 'agent CPU ms', 'µs per sample'],
      [row('signed', signed), row('not signed', plain)],
    );
  });
});
