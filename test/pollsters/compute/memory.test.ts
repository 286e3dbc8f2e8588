import { describe, expect, it } from 'vitest';
import compute from '../../../src/pollsters/compute/index.ts';
import { domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostOf, load } from './support.ts';

const METERS = ['memory', 'memory.available', 'memory.usage', 'memory.resident', 'memory.swap.in', 'memory.swap.out'];

async function poll(balloon: Readonly<Record<string, bigint>>, devices = "<memballoon model='virtio'/>") {
  const hypervisor = fakeHypervisor();
  hypervisor.domains = [domainOf({ devices })];
  hypervisor.stats.set('uuid-1', statsOf({ balloon }));
  const host = hostOf(hypervisor);
  const polled = await (await load(compute, host)).poll(cycle(host), METERS);
  return Object.fromEntries(polled.map(({ meter, volume }) => [meter.name, volume]));
}

describe('the memory meters', () => {
  it('are fractions of MiB', async () => {
    expect(await poll({ current: 1536n, available: 1024n, rss: 1n })).toEqual({
      memory: 1.5,
      'memory.available': 1,
      'memory.resident': 1 / 1024,
    });
  });

  it('take for used what is not usable', async () => {
    expect(await poll({ available: 4096n, usable: 1024n, unused: 512n })).toMatchObject({ 'memory.usage': 3 });
  });

  it('take for used what is not unused when libvirt does not tell what is usable', async () => {
    expect(await poll({ available: 4096n, unused: 512n })).toMatchObject({ 'memory.usage': 3.5 });
  });

  it('do not tell the usage when libvirt does not tell what is available', async () => {
    expect(await poll({ usable: 1n, unused: 1n })).toEqual({});
  });

  it('tell swapping in both directions or in none', async () => {
    expect(await poll({ swap_in: 1024n, swap_out: 0n })).toEqual({ 'memory.swap.in': 1, 'memory.swap.out': 0 });
    expect(await poll({ swap_in: 1024n })).toEqual({});
    expect(await poll({ swap_out: 1024n })).toEqual({});
  });

  it.each(["<memballoon model='none'/>", ''])('do not tell the memory without a balloon: %j', async (devices) => {
    expect(await poll({ current: 1024n, rss: 1024n }, devices)).toEqual({ 'memory.resident': 1 });
  });
});
