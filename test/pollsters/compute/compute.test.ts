import { describe, expect, it } from 'vitest';
import type { Domain } from '../../../src/libvirt/inspector.ts';
import { createCompute, type InstanceSource } from '../../../src/pollsters/compute/compute.ts';
import { createLibvirtSource } from '../../../src/pollsters/compute/libvirt-source.ts';
import { domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostWith, inspectorOf, novaKnowing } from './support.ts';

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
    expect([...(await compute.stats(ctx)).keys()]).toEqual(['uuid-1']);
    expect(questions).toEqual([['uuid-1']]);
  });

  it('are asked for once more of instances that did not look like one', async () => {
    const { compute, questions, ctx } = setUp((source) => ({ ...source, mayBeInstance: () => false }));

    const stats = await compute.stats(ctx);

    expect([...stats.keys()]).toEqual(['uuid-1']);
    expect(questions).toEqual([[], ['uuid-1']]);
  });
});
