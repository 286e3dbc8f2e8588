/** Two agents of one host that share its instances: `[compute] instance_discovery_method = workload_partitioning`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { slotAt, slotGrid } from '../../src/agent/slots.ts';
import { sampleId } from '../../src/sample.ts';
import { novaDomain } from '../../src/testing/nova-domain.ts';
import { type FakeLibvirtd, startFakeLibvirtd } from '../../src/testing.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { type FakeCloud, json, startFakeCloud } from '../helpers/fake-openstack.ts';
import { polledSamples } from '../helpers/polled-samples.ts';
import { until } from '../helpers/until.ts';
import { flavorRoute, imageRoute, SERVERS, serverOf } from '../pollsters/compute/nova/support.ts';

const HOST = 'compute-1.oracle.example';
const METERS = ['cpu', 'memory.usage', 'power.state'];
/** Seconds. */
const INTERVAL = 2;
const LEASE = 3;
const DOMAINS = Array.from({ length: 20 }, (_, index) => novaDomain(index));

describe('two agents of one host that share its instances', () => {
  let folder: string;
  let libvirtd: FakeLibvirtd;
  let cloud: FakeCloud;
  const agents: AgentProcess[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'compute-shared-'));
    libvirtd = await startFakeLibvirtd({ domains: DOMAINS });
    cloud = await startFakeCloud();
    cloud.catalogue = [
      { type: 'compute', url: '/compute/v2.1' },
      { type: 'image', url: '/image' },
    ];
    const servers = DOMAINS.map(({ uuid }) => serverOf(uuid));
    for (const [path, answer] of Object.entries({ ...flavorRoute, ...imageRoute, [SERVERS]: json({ servers }) })) {
      cloud.routes.set(path, answer);
    }
  });

  afterEach(async () => {
    for (const agent of agents) agent.kill('SIGKILL');
    await Promise.all(agents.splice(0).map(({ ended }) => ended));
    await cloud.close();
    await libvirtd.close();
    rmSync(folder, { recursive: true });
  });

  function start(): AgentProcess {
    const polling = join(folder, 'polling.yaml');
    writeFileSync(polling, `sources:\n  - {name: all, interval: ${INTERVAL}, meters: [${METERS.join(', ')}]}\n`);
    const file = join(folder, 'ceilometer.conf');
    writeFileSync(
      file,
      `[DEFAULT]\nhost = ${HOST}\nlibvirt_uri = ${libvirtd.uri}\n[polling]\ncfg_file = ${polling}\n` +
        '[compute]\ninstance_discovery_method = workload_partitioning\n' +
        `[coordination]\nbackend_url = file://${folder}/members?membership_timeout=${LEASE}\n` +
        `[service_credentials]\nauth_type = password\nauth_url = ${cloud.url}\nusername = ceilometer\npassword = secret\n` +
        'user_domain_name = Default\nproject_name = service\nproject_domain_name = Default\n',
    );
    const args = ['--config-file', file, '--polling-namespaces', 'compute', '--output', 'jsonl'];
    const agent = new AgentProcess('polling', args);
    agents.push(agent);
    return agent;
  }

  const grid = slotGrid(HOST, INTERVAL * 1000);
  const now = () => slotAt(grid, Date.now());
  const ids = (slot: number) =>
    METERS.flatMap((meter) => DOMAINS.map(({ uuid }) => sampleId('all', meter, uuid, slot)));
  const all = METERS.length * DOMAINS.length;

  /** How many of the samples of a slot these agents have, and how many different ones. */
  function samplesOf(slot: number, of: readonly AgentProcess[]): { readonly samples: number; readonly ids: number } {
    const wanted = new Set(ids(slot));
    const found = of.flatMap(polledSamples).filter(({ message_id: id }) => wanted.has(id));
    return { samples: found.length, ids: new Set(found.map(({ message_id: id }) => id)).size };
  }

  it('polls each once, and all of them when one of the two is stopped or killed', async () => {
    const [one, two] = [start(), start()];
    await Promise.all([one, two].map((agent) => agent.shows(/agents[=:" ]+2\b/)));
    const begin = now() + 1;
    await until('two slots pass', () => now() > begin + 1);
    await until('the slots are polled', () => [begin, begin + 1].every((slot) => samplesOf(slot, agents).ids === all));
    const together = [begin, begin + 1].map((slot) => samplesOf(slot, agents));
    const parts = [one, two].map((agent) => samplesOf(begin, [agent]).samples);

    one.kill('SIGTERM');
    const { code } = await one.ended;
    const stopped = now();
    await until('the other has all', () => samplesOf(stopped + 1, [two]).ids === all);
    const handedOver = Array.from({ length: stopped + 2 - begin }, (_, index) => samplesOf(begin + index, agents).ids);

    const three = start();
    await Promise.all([two, three].map((agent) => until('they share', () => shares(agent))));
    two.kill('SIGKILL');
    await until('the third has all', () => samplesOf(now() - 1, [three]).ids === all);

    expect(code).toBe(0);
    expect(together).toEqual([
      { samples: all, ids: all },
      { samples: all, ids: all },
    ]);
    expect(Math.min(...parts)).toBeGreaterThan(0);
    expect(handedOver).toEqual(handedOver.map(() => all));
  });

  function shares(agent: AgentProcess): boolean {
    return [...agent.stderr.matchAll(/\bagents[=:" ]+(\d+)/g)].at(-1)?.[1] === '2';
  }
});
