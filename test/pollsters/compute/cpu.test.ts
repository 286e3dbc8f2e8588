import { describe, expect, it } from 'vitest';
import type { DomainStats } from '../../../src/libvirt/inspector.ts';
import { cpuTime } from '../../../src/pollsters/compute/cpu.ts';
import compute from '../../../src/pollsters/compute/index.ts';
import { domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostOf, load } from './support.ts';

describe('the CPU time of an instance', () => {
  it('is what its vCPUs ran and waited', () => {
    expect(cpuTime(statsOf())).toEqual({ nanoseconds: 330n, from: 'vcpus' });
  });

  it('counts the vCPUs that are plugged in, wherever the holes are', () => {
    const vcpus = [{ time: 1n, wait: 1n }, undefined, undefined, { time: 10n, wait: 10n }];

    expect(cpuTime(statsOf({ vcpuCurrent: 2, vcpuMaximum: 4, vcpus }))?.nanoseconds).toBe(22n);
  });

  it.each([
    ['no wait', [{ time: 1n, wait: 1n }, { time: 1n }]],
    ['no time', [{ time: 1n, wait: 1n }, { wait: 1n }]],
    ['too few vCPUs', [{ time: 1n, wait: 1n }]],
    ['no vCPU', []],
  ])('is the domain’s own where libvirt tells %s', (_what, vcpus) => {
    expect(cpuTime(statsOf({ vcpus }))).toEqual({ nanoseconds: 900n, from: 'domain' });
  });

  it('is the domain’s own where more vCPUs count than there are', () => {
    expect(cpuTime(statsOf({ vcpuCurrent: 1 }))).toEqual({ nanoseconds: 900n, from: 'domain' });
  });

  it('is unknown, not 0, where libvirt tells nothing', () => {
    const { cpuTime: _, ...stats } = statsOf({ vcpus: [] });

    expect(cpuTime(stats)).toBeUndefined();
  });
});

describe('cpu', () => {
  const unusual = { vcpus: [] };

  async function setUp() {
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ id: 1 })];
    const host = hostOf(hypervisor);
    const plugin = await load(compute, host);
    let second = 0;
    return async (changes: Partial<DomainStats> = {}, sources = ['test']) => {
      second += 10;
      hypervisor.stats.set('uuid-1', statsOf({ monotonicTime: second, ...changes }));
      const polls = sources.map((source) => plugin.poll(cycle(host, source), ['cpu']));
      return (await Promise.all(polls)).flat().map(({ volume }) => volume);
    };
  }

  it('has no value where libvirt tells the other counter for once, whoever asks', async () => {
    const poll = await setUp();

    expect(await poll()).toEqual([330n]);
    expect(await poll(unusual, ['a', 'b'])).toEqual([]);
    expect(await poll()).toEqual([330n]);
    expect(await poll(unusual)).toEqual([]);
  });

  it('goes over to the other counter where that stays', async () => {
    const poll = await setUp();
    await poll();
    await poll(unusual);

    expect(await poll(unusual)).toEqual([900n]);
    expect(await poll(unusual)).toEqual([900n]);
  });
});

describe('cpu_util', () => {
  async function setUp() {
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ id: 1 })];
    const host = hostOf(hypervisor);
    const plugin = await load(compute, host);
    /** One poll at `second`, when the two vCPUs together have used `busy` seconds. */
    async function poll(second: number, busy: number, changes: Partial<DomainStats> = {}, source = 'test') {
      const time = BigInt(busy * 1e9);
      const vcpus = [
        { time, wait: 0n },
        { time: 0n, wait: 0n },
      ];
      hypervisor.stats.set('uuid-1', statsOf({ monotonicTime: second, vcpus, cpuTime: time, ...changes }));
      return (await plugin.poll(cycle(host, source), ['cpu_util'])).map(({ volume }) => volume);
    }
    return { hypervisor, poll };
  }

  it('is the share of its vCPUs that an instance used since the poll before', async () => {
    const { poll } = await setUp();

    expect(await poll(100, 50)).toEqual([]);
    expect(await poll(110, 55)).toEqual([25]);
    expect(await poll(120, 55)).toEqual([0]);
  });

  it('never exceeds 100 %', async () => {
    const { poll } = await setUp();

    await poll(100, 0);

    expect(await poll(110, 20.5)).toEqual([100]);
  });

  it('starts anew with each boot', async () => {
    const { hypervisor, poll } = await setUp();
    await poll(100, 50);

    hypervisor.domains = [domainOf({ id: 2 })];

    expect(await poll(110, 52)).toEqual([]);
    expect(await poll(120, 54)).toEqual([10]);
  });

  it('starts anew when the counter went back', async () => {
    const { poll } = await setUp();
    await poll(100, 50);

    expect(await poll(110, 1)).toEqual([]);
    expect(await poll(120, 2)).toEqual([5]);
  });

  it('compares only counters of one kind', async () => {
    const { poll } = await setUp();
    await poll(100, 50);

    expect(await poll(110, 52, { vcpus: [] })).toEqual([]);
  });

  it('has no value when no time has passed or the number of vCPUs is unknown', async () => {
    const { poll } = await setUp();
    await poll(100, 50);

    expect(await poll(100, 51)).toEqual([]);
    expect(await poll(110, 52, { vcpuCurrent: 0 })).toEqual([]);
  });

  it('is worked out for each source on its own', async () => {
    const { poll } = await setUp();
    await poll(100, 0, {}, 'slow');
    await poll(110, 10, {}, 'fast');

    expect(await poll(120, 10, {}, 'slow')).toEqual([25]);
    expect(await poll(120, 10, {}, 'fast')).toEqual([0]);
  });
});
