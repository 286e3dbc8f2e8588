/** A cycle of the central namespace over a large cloud, from the first request to the broker's confirm. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { AgentProcess } from '../test/helpers/agent-process.ts';
import type { FakeCloud } from '../test/helpers/fake-openstack.ts';
import { describeWith } from '../test/helpers/services.ts';
import { cyclesOf, reachCycle } from './agent-cycles.ts';
import { type CloudSize, startCentralCloud } from './central-cloud.ts';
import { usePlace } from './place.ts';
import { cpuSeconds, peakResidentMegabytes, residentMegabytes } from './process-cost.ts';
import { report } from './report.ts';

/** Seconds; cycles are shorter. */
const INTERVAL = 20;
const CYCLES = 2;

const SMALL: CloudSize = { projects: 1, volumes: 1, images: 1, containers: 1 };
const LARGE: CloudSize = { projects: 500, volumes: 10_000, images: 5_000, containers: 50_000 };

/** Megabytes of old heap, which the agent needs little more than half of when it begins. */
const CAPPED = ['--max-old-space-size=48', '--max-semi-space-size=4'];

interface Run {
  readonly name: string;
  readonly meters: readonly string[];
  readonly size: CloudSize;
  /** Options of Node. */
  readonly node?: readonly string[];
}

const ALL = ['volume.size', 'image.size', 'storage.*'];

const runs: readonly Run[] = [
  { name: 'next to nothing', meters: ['*'], size: SMALL },
  { name: '10 000 volumes', meters: ['volume.size'], size: LARGE },
  { name: '5 000 images', meters: ['image.size'], size: LARGE },
  { name: '50 000 containers, 500 accounts', meters: ['storage.*'], size: LARGE },
  { name: 'all of them', meters: ALL, size: LARGE },
  { name: 'all of them, heap capped at 48 MB', meters: ALL, size: LARGE, node: CAPPED },
];

describeWith('rabbitmq', 'the central namespace', () => {
  const place = usePlace();

  function configure(cloud: FakeCloud, meters: readonly string[]): string {
    const polling = join(place.folder, 'polling.yaml');
    writeFileSync(polling, JSON.stringify({ sources: [{ name: 'all', interval: INTERVAL, meters }] }));
    const file = join(place.folder, 'ceilometer.conf');
    const url = `rabbit://guest:guest@127.0.0.1:${place.broker.port}/${place.broker.vhost()}`;
    const credentials =
      `auth_type = password\nauth_url = ${cloud.url}\nusername = ceilometer\npassword = secret\n` +
      'user_domain_name = Default\nproject_name = service\nproject_domain_name = Default\n';
    writeFileSync(
      file,
      `[DEFAULT]\ntransport_url = ${url}\n[polling]\ncfg_file = ${polling}\n[service_credentials]\n${credentials}`,
    );
    return file;
  }

  async function figures({ name, meters, size, node = [] }: Run): Promise<string[]> {
    const cloud = await startCentralCloud(size);
    const file = configure(cloud, meters);
    const agent = new AgentProcess('polling', ['--config-file', file, '--polling-namespaces', 'central'], {}, node);
    const pid = agent.child.pid ?? 0;
    try {
      await reachCycle(agent, 1);
      const [cpu, asked] = [cpuSeconds(pid), cloud.asked.length];
      await reachCycle(agent, CYCLES);
      const used = cpuSeconds(pid) - cpu;
      const peak = peakResidentMegabytes(pid);
      const resident = residentMegabytes(pid);
      const last = cyclesOf(agent).at(-1);
      agent.kill('SIGTERM');
      const { code, stderr } = await agent.ended;
      if (code !== 0 || last === undefined) throw new Error(`exit ${code}\n${stderr}`);
      return [
        name,
        String(cloud.asked.length - asked),
        String(last.samples),
        (last.wall / 1000).toFixed(2),
        used.toFixed(2),
        resident.toFixed(0),
        peak.toFixed(0),
      ];
    } finally {
      agent.kill('SIGKILL');
      await cloud.close();
    }
  }

  it('polls a large cloud', async () => {
    const rows: string[][] = [];
    for (const run of runs) rows.push(await figures(run));
    report(
      'Central: one cycle over a large cloud',
      'Requests, samples, time and CPU are of the second cycle of an agent that sends to a broker; resident and peak memory are of the agent after it, and over its whole life. The services are of the benchmark process, which answers what it has made before.',
      ['Cloud', 'requests', 'samples', 's', 's of CPU', 'MB', 'MB at most'],
      rows,
    );
  });
});
