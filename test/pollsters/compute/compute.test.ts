import { describe, expect, it } from 'vitest';
import { eachReading } from '../../../src/agent/readings.ts';
import { describeError, ServiceError } from '../../../src/errors.ts';
import type { Domain, DomainStats } from '../../../src/libvirt/inspector.ts';
import type { PollContext, Pollster, Resource } from '../../../src/plugin.ts';
import { type Answers, createCompute, type InstanceSource } from '../../../src/pollsters/compute/compute.ts';
import plugin from '../../../src/pollsters/compute/index.ts';
import { createLibvirtSource } from '../../../src/pollsters/compute/libvirt-source.ts';
import { domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostWith, inspectorOf, load, novaKnowing } from './support.ts';

/** A host with one instance, and how its source is changed. */
function setUp(change: (source: InstanceSource, asked: Promise<void>) => InstanceSource) {
  const hypervisor = fakeHypervisor();
  hypervisor.domains = [domainOf(), domainOf({ uuid: 'foreign', metadata: '' })];
  hypervisor.stats.set('uuid-1', statsOf({}));
  const questions: string[][] = [];
  let tellAsked = () => {};
  const asked = new Promise<void>((resolve) => {
    tellAsked = resolve;
  });
  const inspector = inspectorOf(hypervisor);
  const host = hostWith({
    ...inspector,
    stats(domains: readonly Domain[], signal: AbortSignal) {
      questions.push(domains.map(({ uuid }) => uuid));
      tellAsked();
      return inspector.stats(domains, signal);
    },
  });
  const compute = createCompute(host, change(createLibvirtSource(host, novaKnowing({})), asked));
  return { compute, questions, ctx: cycle(host) };
}

async function idsOf(answers: Promise<Answers>): Promise<string[][]> {
  const ids: string[][] = [];
  for await (const { stats } of await answers) ids.push([...stats.keys()]);
  return ids;
}

describe('the statistics of a cycle', () => {
  it('are asked for before the XML is read, of domains that mention Nova', async () => {
    const { compute, questions, ctx } = setUp((source, asked) => ({
      ...source,
      find: async (domains, context) => {
        await asked;
        return source.find(domains, context);
      },
    }));

    const instances = await compute.instances(ctx);

    expect(instances.map(({ id }) => id)).toEqual(['uuid-1']);
    expect(await idsOf(compute.answers(ctx))).toEqual([['uuid-1']]);
    expect(questions).toEqual([['uuid-1']]);
  });

  it('are asked for once more of instances that did not look like one', async () => {
    const { compute, questions, ctx } = setUp((source) => ({ ...source, mayBeInstance: () => false }));

    const ids = await idsOf(compute.answers(ctx));

    expect(ids).toEqual([['uuid-1']]);
    expect(questions).toEqual([[], ['uuid-1']]);
  });

  it('reach every pollster answer by answer, before the last one has come', async () => {
    const { host, plugin, answer, refuse } = await setUpAnswers();
    const ctx = cycle(host);
    const resources = await plugin.discover(ctx);
    const read = (meter: string) => volumesAsTheyCome(plugin.pollster(meter), resources, ctx);

    const early = [read('vcpus'), read('disk.device.capacity')];
    await answer('uuid-2', statsOf({ vcpuCurrent: 2 }));
    const afterFirst = early.map(({ seen }) => [...seen]);
    const late = read('vcpus');
    await answer('uuid-1', statsOf({ vcpuCurrent: 1 }));
    await refuse();

    expect(afterFirst).toEqual([[2], [20n]]);
    await expect(Promise.all([...early, late].map(({ ended }) => ended))).resolves.toEqual([
      'libvirt is gone',
      'libvirt is gone',
      'libvirt is gone',
    ]);
    expect([...early, late].map(({ seen }) => seen)).toEqual([
      [2, 1],
      [20n, 20n],
      [2, 1],
    ]);
  });

  it('are those of the whole answer where the driver tells nothing before', async () => {
    const { compute, ctx } = setUp((source) => source);

    expect(await idsOf(compute.answers(ctx))).toEqual([['uuid-1']]);
  });
});

/** The plugin over two domains whose statistics come when the test says so. */
async function setUpAnswers() {
  const hypervisor = fakeHypervisor();
  hypervisor.domains = [domainOf(), domainOf({ uuid: 'uuid-2', name: 'instance-2', id: 2 })];
  for (const uuid of ['uuid-1', 'uuid-2'])
    hypervisor.images.set(`${uuid}-vda`, { capacity: 20n, allocation: 5n, physical: 20n });
  let tell: (some: ReadonlyMap<string, DomainStats>) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const host = hostWith({
    ...inspectorOf(hypervisor),
    stats: (_domains, _signal, told = () => {}) =>
      new Promise((_resolve, reject) => {
        tell = told;
        fail = reject;
      }),
  });
  return {
    host,
    plugin: await load(plugin, host),
    async answer(uuid: string, stats: DomainStats) {
      tell(new Map([[uuid, stats]]));
      await turns();
    },
    async refuse() {
      fail(new ServiceError('libvirt is gone'));
      await turns();
    },
  };
}

function volumesAsTheyCome(pollster: Pollster, resources: readonly Resource[], ctx: PollContext) {
  const seen: (number | bigint)[] = [];
  const ended = (async () => {
    for await (const { volume } of eachReading(await pollster.poll(resources, ctx))) seen.push(volume);
  })().then(() => 'well', describeError);
  return { seen, ended };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
