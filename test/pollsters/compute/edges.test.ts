import { describe, expect, it } from 'vitest';
import { createCycleCache } from '../../../src/agent/cycle-cache.ts';
import { eachReading } from '../../../src/agent/readings.ts';
import type { DomainEdge } from '../../../src/libvirt/inspector.ts';
import type { Edge } from '../../../src/plugin.ts';
import compute from '../../../src/pollsters/compute/index.ts';
import { monotonicSeconds } from '../../../src/sample.ts';
import { until } from '../../helpers/until.ts';
import { type DomainParts, domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostOf, load } from './support.ts';

async function setUp(options: { lifecycleSamples?: boolean } = { lifecycleSamples: true }) {
  const hypervisor = fakeHypervisor();
  const host = hostOf(hypervisor, { compute: options });
  let tell: (edge: DomainEdge) => void = () => undefined;
  let watched = false;
  host.inspector().watch = (listener) => {
    watched = true;
    tell = listener;
  };
  const plugin = await load(compute, host);
  const discovery = await compute.discoveries?.['compute']?.['local_instances']?.(host);
  const stop = new AbortController();
  const edges: Edge[] = [];
  discovery?.watch?.((edge) => edges.push(edge), stop.signal);
  if (discovery?.watch !== undefined) await until('the hypervisor is watched', () => watched);
  /** What the hypervisor tells, and the edges that come of it. */
  async function report(kind: DomainEdge['kind'], parts: DomainParts = {}, stats = statsOf()): Promise<Edge[]> {
    tell({ kind, domain: domainOf(parts), stats });
    // Where none is to come, this is how long it is waited for.
    for (let turn = 0; turn < 50 && edges.length === 0; turn += 1) await new Promise((wake) => setTimeout(wake, 5));
    return edges.splice(0);
  }
  /** Polls an edge as the agent does. */
  async function poll(edge: Edge | undefined, meter: string) {
    const readings = [];
    const resources = edge === undefined ? [] : [edge.resource];
    const ctx = { ...cycle(host), cache: createCycleCache(edge?.known) };
    const polled = await plugin.pollster(meter).poll(resources, ctx);
    for await (const { volume } of eachReading(polled)) readings.push(volume);
    return readings;
  }
  return { hypervisor, host, plugin, discovery, report, poll };
}

describe('the edges of instances', () => {
  it('are not reported unless the operator wants them', async () => {
    const { discovery } = await setUp({});

    expect(discovery).toBeDefined();
    expect(discovery?.watch).toBeUndefined();
  });

  it('are polled from what was read at the time, without another question', async () => {
    const { hypervisor, poll, report } = await setUp();

    const [edge] = await report('end', {}, statsOf({ state: 4, vcpus: [], cpuTime: 2n ** 60n + 1n, disks: [] }));

    expect(await poll(edge, 'cpu')).toEqual([2n ** 60n + 1n]);
    expect(await poll(edge, 'power.state')).toEqual([4]);
    expect(await poll(edge, 'disk.device.read.bytes')).toEqual([]);
    expect(hypervisor.calls).toMatchObject({ domains: 0, stats: 0 });
  });

  it('have keys of their own for each life of the domain, start and end', async () => {
    const { report } = await setUp();

    const keys = [
      ...(await report('start', { id: 7 })),
      ...(await report('end', { id: 7 })),
      ...(await report('start', { id: 8 })),
    ].map(({ key }) => key);

    expect(new Set(keys).size).toBe(3);
    expect(keys[1]).toMatch(/^[^/]+\/100000\/7\/end$/);
  });

  it('have keys of their own when libvirtd counts its domains anew', async () => {
    const { report } = await setUp();

    const [first] = await report('start', { id: 1 }, statsOf({ monotonicTime: 100 }));
    const [second] = await report('start', { id: 1 }, statsOf({ monotonicTime: 130 }));

    expect(first?.key).not.toBe(second?.key);
  });

  it('of a last reading have its time, and ask for nothing', async () => {
    const { hypervisor, poll, report } = await setUp();
    const read = Date.now() - 5_000;

    const [edge] = await report(
      'last',
      {},
      statsOf({ monotonicTime: monotonicSeconds() - 5, cpuTime: 42n, vcpus: [] }),
    );

    expect(Math.abs((edge?.time ?? 0) - read)).toBeLessThan(1_000);
    expect(await poll(edge, 'cpu')).toEqual([42n]);
    expect(await poll(edge, 'disk.device.usage')).toEqual([]);
    expect(hypervisor.calls).toMatchObject({ domains: 0, stats: 0, blockInfo: [] });
  });

  it('are none of domains that are not Nova’s', async () => {
    const { report } = await setUp();

    expect(await report('start', { metadata: '' })).toEqual([]);
  });

  it('and the slots share the deltas between them', async () => {
    const { hypervisor, plugin, host, poll, report } = await setUp();
    const meter = 'network.incoming.bytes.delta';
    const said = (rxBytes: bigint, monotonicTime: number) =>
      statsOf({ nics: [{ name: 'tap1', rxBytes }], monotonicTime });
    const [start] = await report('start', {}, said(10n, 100));
    const [end] = await report('end', {}, said(500n, 130));
    hypervisor.domains = [domainOf()];
    hypervisor.stats.set('uuid-1', said(300n, 120));

    const deltas = [
      await poll(start, meter),
      (await plugin.poll(cycle(host), [meter])).map(({ volume }) => volume),
      await poll(end, meter),
    ];

    expect(deltas).toEqual([[0n], [290n], [200n]]);
  });

  it('that are polled after a later slot add nothing', async () => {
    const { hypervisor, plugin, host, poll, report } = await setUp();
    const meter = 'network.incoming.bytes.delta';
    const said = (rxBytes: bigint, monotonicTime: number) =>
      statsOf({ nics: [{ name: 'tap1', rxBytes }], monotonicTime });
    hypervisor.domains = [domainOf()];
    hypervisor.stats.set('uuid-1', said(300n, 120));
    const [edge] = await report('start', {}, said(10n, 100));
    await plugin.poll(cycle(host), [meter]);

    expect(await poll(edge, meter)).toEqual([0n]);
  });

  it('leave what is remembered of the other instances as it is', async () => {
    const { hypervisor, plugin, host, poll, report } = await setUp();
    const meter = 'network.incoming.bytes.delta';
    const said = (rxBytes: bigint, monotonicTime: number) =>
      statsOf({ nics: [{ name: 'tap1', rxBytes }], monotonicTime });
    hypervisor.domains = [domainOf()];
    hypervisor.stats.set('uuid-1', said(300n, 100));
    await plugin.poll(cycle(host), [meter]);

    const [edge] = await report('start', { uuid: 'uuid-2' }, said(1n, 110));
    await poll(edge, meter);
    hypervisor.stats.set('uuid-1', said(350n, 120));

    expect((await plugin.poll(cycle(host), [meter])).map(({ volume }) => volume)).toEqual([50n]);
  });
});
