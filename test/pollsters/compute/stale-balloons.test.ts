import { describe, expect, it } from 'vitest';
import compute from '../../../src/pollsters/compute/index.ts';
import { domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostOf, load } from './support.ts';

const TOLD = 'guests have not told of their memory for long, memory.usage and its kin are old';

describe('memory that a guest told of long ago', () => {
  it('counts, and is told of when it begins, once for all instances', async () => {
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ uuid: 'uuid-1' }), domainOf({ uuid: 'uuid-2', name: 'two' })];
    const host = hostOf(hypervisor);
    const plugin = await load(compute, host);
    async function poll(age: number) {
      const updated = BigInt(Math.round(Date.now() / 1000) - age);
      const balloon = { available: 4096n, usable: 1024n, 'last-update': updated };
      for (const id of ['uuid-1', 'uuid-2']) hypervisor.stats.set(id, statsOf({ balloon }));
      return (await plugin.poll(cycle(host), ['memory.usage'])).map(({ volume }) => volume);
    }
    const told = () => host.lines.filter(({ message }) => message === TOLD).map(({ fields }) => fields);

    expect(await poll(5)).toEqual([3, 3]);
    expect(told()).toEqual([]);
    expect(await poll(3600)).toEqual([3, 3]);
    await poll(3660);
    expect(told()).toEqual([{ instances: 2, first: 'uuid-1', seconds: expect.closeTo(3600, -1) }]);
    await poll(5);
    await poll(3600);

    expect(told()).toHaveLength(2);
  });
});
