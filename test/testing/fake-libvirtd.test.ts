import { afterEach, describe, expect, it } from 'vitest';
import { createInspector } from '../../src/libvirt/create-inspector.ts';
import { createComputePlugin } from '../../src/pollsters/compute/plugin.ts';
import {
  collect,
  type FakeLibvirtd,
  type FakeOptions,
  fakeHost,
  novaDomain,
  pollContext,
  startFakeLibvirtd,
} from '../../src/testing.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { novaKnowing } from '../pollsters/compute/support.ts';

const { signal } = new AbortController();
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: FakeOptions) {
  const server: FakeLibvirtd = await startFakeLibvirtd(options);
  closers.push(() => server.close());
  const inspector = createInspector({ uri: server.uri, log: recordingLog() });
  closers.push(() => inspector.close());
  return { server, inspector };
}

describe('the fake libvirtd', () => {
  it('has counters that grow with each reading, and others that stay', async () => {
    const { inspector } = await serve({ domains: [novaDomain(1)] });
    const domains = await inspector.domains(signal);
    const { uuid } = novaDomain(1);

    const first = (await inspector.stats(domains, signal)).get(uuid);
    const second = (await inspector.stats(domains, signal)).get(uuid);

    expect((second?.vcpus[0]?.time ?? 0n) - (first?.vcpus[0]?.time ?? 0n)).toBe(19_000_000n);
    expect((second?.nics[1]?.txBytes ?? 0n) - (first?.nics[1]?.txBytes ?? 0n)).toBe(15_000n);
    expect(second?.disks[0]?.capacity).toBe(first?.disks[0]?.capacity);
  });

  it('answers with domains that every compute meter can be read from, but for perf and the share of a first reading', async () => {
    const { inspector } = await serve({ domains: [novaDomain(1), novaDomain(2)] });
    const host = fakeHost({ inspector });
    const plugin = createComputePlugin(() => novaKnowing({}));
    const ctx = pollContext({ host });
    const instances = await (await plugin.discoveries?.['compute']?.['local_instances']?.(host))?.discover(
      undefined,
      ctx,
    );

    const counts: Record<string, number> = {};
    for (const [name, factory] of Object.entries(plugin.pollsters?.['compute'] ?? {})) {
      if (name.endsWith('.rate')) continue;
      counts[name] = (await collect(await factory(host), instances ?? [], ctx)).length;
    }

    expect(instances).toHaveLength(2);
    const without = Object.keys(counts).filter((name) => counts[name] === 0);
    expect(without.sort()).toEqual([
      'cpu_util',
      'perf.cache.misses',
      'perf.cache.references',
      'perf.cpu.cycles',
      'perf.instructions',
    ]);
    expect(counts).toMatchObject({ cpu: 2, 'disk.device.read.bytes': 4, 'network.incoming.bytes': 4 });
  });

  it('serves ten thousand domains', async () => {
    const { server, inspector } = await serve({
      domains: Array.from({ length: 10_000 }, (_, index) => novaDomain(index)),
      keepCalls: false,
    });

    const domains = await inspector.domains(signal);
    const stats = await inspector.stats(domains, signal);

    expect([domains.length, stats.size]).toEqual([10_000, 10_000]);
    expect(server.calls).toEqual([]);
  });
});
