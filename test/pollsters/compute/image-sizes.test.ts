import { describe, expect, it } from 'vitest';
import type { DiskStats } from '../../../src/libvirt/inspector.ts';
import compute from '../../../src/pollsters/compute/index.ts';
import { domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostOf, load } from './support.ts';

const METERS = ['disk.device.capacity', 'disk.device.allocation', 'disk.device.usage'];
const bulk: DiskStats = { name: 'vda', allocation: 0n, capacity: 100n, physical: 8n };

async function setUp() {
  const hypervisor = fakeHypervisor();
  const host = hostOf(hypervisor);
  const plugin = await load(compute, host);
  hypervisor.domains = [domainOf()];
  hypervisor.images.set('uuid-1-vda', { capacity: 100n, allocation: 8n, physical: 50n });
  async function poll(...disks: readonly DiskStats[]) {
    hypervisor.stats.set('uuid-1', statsOf({ disks }));
    return (await plugin.poll(cycle(host), METERS)).map(({ volume }) => volume);
  }
  return { hypervisor, poll };
}

describe('the sizes of a disk', () => {
  it('are those of its image, not the ones of the bulk statistics', async () => {
    const { poll } = await setUp();

    expect(await poll(bulk)).toEqual([100n, 8n, 50n]);
  });

  it('have a capacity of at least what the image occupies', async () => {
    const { hypervisor, poll } = await setUp();
    hypervisor.images.set('uuid-1-vda', { capacity: 394216n, allocation: 0n, physical: 397312n });

    expect(await poll(bulk)).toEqual([397312n, 0n, 397312n]);
  });

  it('are asked for once while the bulk statistics of the disk do not change', async () => {
    const { hypervisor, poll } = await setUp();

    await poll(bulk);
    const again = await poll({ ...bulk, readBytes: 1n, writeBytes: 1n });

    expect(again).toEqual([100n, 8n, 50n]);
    expect(hypervisor.calls.blockInfo).toHaveLength(1);
  });

  it.each([
    ['allocation', { ...bulk, allocation: 1n }],
    ['capacity', { ...bulk, capacity: 101n }],
    ['physical', { ...bulk, physical: 9n }],
    ['no allocation', { name: 'vda', capacity: 100n, physical: 8n }],
  ])('are asked for again when the bulk statistics have changed: %s', async (_what, changed) => {
    const { hypervisor, poll } = await setUp();
    await poll(bulk);
    hypervisor.images.set('uuid-1-vda', { capacity: 200n, allocation: 9n, physical: 60n });

    expect(await poll(changed)).toEqual([200n, 9n, 60n]);
    expect(hypervisor.calls.blockInfo).toHaveLength(2);
  });

  it('are asked for again when the domain has changed', async () => {
    const { hypervisor, poll } = await setUp();
    await poll(bulk);
    hypervisor.domains = [domainOf()];

    await poll(bulk);

    expect(hypervisor.calls.blockInfo).toHaveLength(2);
  });

  it('are not told, nor remembered, while libvirt does not answer for the disk', async () => {
    const { hypervisor, poll } = await setUp();
    await poll(bulk);
    hypervisor.images.clear();

    expect(await poll({ ...bulk, physical: 9n })).toEqual([]);
    hypervisor.images.set('uuid-1-vda', { capacity: 200n, allocation: 9n, physical: 60n });
    expect(await poll({ ...bulk, physical: 9n })).toEqual([200n, 9n, 60n]);
  });

  it('are not asked for of a domain too busy to tell its bulk statistics', async () => {
    const { hypervisor, poll } = await setUp();

    expect(await poll({ name: 'vda' })).toEqual([]);
    expect(await poll()).toEqual([]);
    expect(hypervisor.calls.blockInfo).toEqual([]);
  });

  it('are not asked for when no meter of them is polled', async () => {
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf()];
    hypervisor.stats.set('uuid-1', statsOf());
    const host = hostOf(hypervisor);

    await (await load(compute, host)).poll(cycle(host), ['disk.device.read.bytes', 'cpu', 'disk.root.size']);

    expect(hypervisor.calls.blockInfo).toEqual([]);
  });
});
