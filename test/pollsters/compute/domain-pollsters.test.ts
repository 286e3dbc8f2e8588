import { describe, expect, it } from 'vitest';
import { eachReading } from '../../../src/agent/readings.ts';
import type { DomainStats } from '../../../src/libvirt/inspector.ts';
import compute from '../../../src/pollsters/compute/index.ts';
import { checkPlugin } from '../../../src/testing.ts';
import { domainOf, novaXml, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostOf, load, type Polled } from './support.ts';

async function setUp(stats: Partial<DomainStats> = {}, settings = {}) {
  const hypervisor = fakeHypervisor();
  hypervisor.domains = [domainOf()];
  hypervisor.stats.set('uuid-1', statsOf(stats));
  hypervisor.images.set('uuid-1-vda', { capacity: 18n, allocation: 5n, physical: 20n });
  const host = hostOf(hypervisor, settings);
  return { hypervisor, host, plugin: await load(compute, host) };
}

function volumes(polled: readonly Polled[]): Record<string, number | bigint> {
  return Object.fromEntries(polled.map(({ meter, volume }) => [meter.name, volume]));
}

describe('the compute pollsters', () => {
  it('keep the contract of plugins', async () => {
    const { host } = await setUp();

    await expect(checkPlugin(compute, { host })).resolves.toBeUndefined();
  });

  it('read every meter of a running instance', async () => {
    const { host, plugin } = await setUp({
      perf: { instructions: 7n, cpu_cycles: 8n, cache_references: 9n, cache_misses: 1n },
    });

    const polled = await plugin.poll(cycle(host));

    expect(volumes(polled)).toEqual({
      cpu: 330n,
      vcpus: 2,
      memory: 512,
      'memory.resident': 64,
      'power.state': 1,
      'perf.cpu.cycles': 8n,
      'perf.instructions': 7n,
      'perf.cache.references': 9n,
      'perf.cache.misses': 1n,
      'disk.root.size': 15,
      'disk.ephemeral.size': 5,
      'disk.device.read.requests': 11n,
      'disk.device.read.bytes': 12n,
      'disk.device.read.latency': 13n,
      'disk.device.write.requests': 14n,
      'disk.device.write.bytes': 15n,
      'disk.device.write.latency': 16n,
      'disk.device.capacity': 20n,
      'disk.device.allocation': 5n,
      'disk.device.usage': 20n,
      'network.incoming.bytes': 1000n,
      'network.incoming.bytes.delta': 0n,
      'network.incoming.packets': 10n,
      'network.incoming.packets.error': 1n,
      'network.incoming.packets.drop': 2n,
      'network.outgoing.bytes': 500n,
      'network.outgoing.bytes.delta': 0n,
      'network.outgoing.packets': 5n,
      'network.outgoing.packets.error': 3n,
      'network.outgoing.packets.drop': 4n,
    });
  });

  it('say whose each value is and when it was read', async () => {
    const { host, plugin } = await setUp();

    const polled = await plugin.poll(cycle(host));

    expect(
      new Set(polled.map(({ userId, projectId, monotonicTime }) => `${userId} ${projectId} ${monotonicTime}`)),
    ).toEqual(new Set(['user-1 project-1 100']));
    expect(new Set(polled.map(({ resourceId }) => resourceId))).toEqual(
      new Set(['uuid-1', 'uuid-1-vda', 'instance-1-uuid-1-tap1']),
    );
  });

  it('keep counters that no double holds', async () => {
    const huge = 2n ** 63n + 1n;
    const { host, plugin } = await setUp({
      vcpuCurrent: 1,
      vcpus: [{ time: huge, wait: 2n }],
      nics: [{ name: 'tap1', rxBytes: huge }],
      disks: [{ name: 'vda', writeBytes: huge }],
    });

    const polled = await plugin.poll(cycle(host), ['cpu', 'network.incoming.bytes', 'disk.device.write.bytes']);

    expect(polled.map(({ volume }) => volume)).toEqual([huge + 2n, huge, huge]);
  });

  it.each([
    [0, 'pending', 'building'],
    [2, 'running', 'active'],
    [3, 'paused', 'paused'],
    [4, 'shutdown', 'stopped'],
    [6, 'crashed', 'error'],
    [7, 'suspended', 'suspended'],
    [99, null, null],
  ])('read an instance in state %i as one that is on', async (state, word, status) => {
    const { host, plugin } = await setUp({ state });

    const polled = await plugin.poll(cycle(host), ['power.state', 'cpu', 'network.incoming.bytes']);

    expect(polled).toHaveLength(3);
    expect(polled[0]?.volume).toBe(state);
    expect(polled.map(({ metadata }) => [metadata?.['state'], metadata?.['status']])).toEqual(
      Array.from({ length: 3 }, () => [word, status]),
    );
  });

  it('read only the sizes of an instance that is shut off', async () => {
    const { host, plugin } = await setUp({ state: 5 });

    const polled = await plugin.poll(cycle(host));

    expect(volumes(polled)).toEqual({ 'disk.root.size': 15, 'disk.ephemeral.size': 5 });
    expect(polled[0]?.metadata).toMatchObject({ state: 'shutdown', status: 'stopped' });
  });

  it('read more of an instance that is shut off when told to, its memory as defined', async () => {
    const { host, plugin } = await setUp({ state: 5 }, { compute: { reportStoppedInstanceMetrics: true } });

    const polled = await plugin.poll(cycle(host));

    expect(volumes(polled)).toEqual({
      vcpus: 2,
      memory: 1024,
      'power.state': 5,
      'disk.root.size': 15,
      'disk.ephemeral.size': 5,
      'disk.device.capacity': 20n,
      'disk.device.allocation': 5n,
      'disk.device.usage': 20n,
    });
  });

  it('leave out an instance that went away before its statistics were read', async () => {
    const { hypervisor, host, plugin } = await setUp();
    hypervisor.domains.push(domainOf({ uuid: 'uuid-2' }));

    const polled = await plugin.poll(cycle(host), ['cpu', 'disk.root.size']);

    expect(polled.map(({ resourceId }) => resourceId)).toEqual(['uuid-1', 'uuid-1']);
    expect(host.lines).toEqual(
      ['cpu', 'disk.root.size'].map((meter) => ({
        level: 'debug',
        fields: { source: 'test', meter, gone: 1, unknown: 0 },
        message: 'some instances or devices have no value',
      })),
    );
  });

  it('read nothing of what libvirt does not say, without a warning', async () => {
    const { host, plugin } = await setUp({
      vcpus: [],
      balloon: {},
      nics: [{ name: 'tap1' }],
      disks: [{ name: 'vda' }],
    });

    const polled = await plugin.poll(cycle(host));

    expect(volumes(polled)).toEqual({
      cpu: 900n,
      vcpus: 2,
      'power.state': 1,
      'disk.root.size': 15,
      'disk.ephemeral.size': 5,
    });
    expect(new Set(host.lines.map(({ level }) => level))).toEqual(new Set(['debug']));
  });

  it('lose only the NIC whose device on the host is gone', async () => {
    const { hypervisor, host, plugin } = await setUp();
    const nic = (tap: string) =>
      `<interface type='bridge'><mac address='${tap}'/><source bridge='br0'/><target dev='${tap}'/></interface>`;
    hypervisor.domains = [domainOf({ devices: nic('tap0') + nic('tap1') })];

    const polled = await plugin.poll(cycle(host), ['network.incoming.bytes']);

    expect(polled.map(({ resourceId, volume }) => [resourceId, volume])).toEqual([['instance-1-uuid-1-tap1', 1000n]]);
  });

  it('name a filtered NIC by its filter', async () => {
    const { hypervisor, host, plugin } = await setUp();
    hypervisor.domains = [
      domainOf({
        devices: "<interface type='bridge'><mac address='m'/><target dev='tap1'/><filterref filter='f1'/></interface>",
      }),
    ];

    const [reading] = await plugin.poll(cycle(host), ['network.incoming.bytes']);

    expect(reading?.resourceId).toBe('f1');
    expect(reading?.metadata).toMatchObject({ name: 'tap1', fref: 'f1', vnic_name: 'f1' });
  });

  it('carry names with quotes, angle brackets and emoji as they are', async () => {
    const { hypervisor, host, plugin } = await setUp();
    const name = '<n:name>Zoë\'s "web" &lt;srv&gt; &amp; 日本語 🚀 \\back\\</n:name>';
    hypervisor.domains = [domainOf({ metadata: novaXml({ name }) })];

    const [reading] = await plugin.poll(cycle(host), ['cpu']);

    expect(reading?.metadata?.['display_name']).toBe('Zoë\'s "web" <srv> & 日本語 🚀 \\back\\');
  });

  it('share one metadata object per resource until the domain or its state changes', async () => {
    const { hypervisor, host, plugin } = await setUp();
    const meters = [
      'memory',
      'power.state',
      'network.incoming.bytes',
      'network.outgoing.bytes',
      'disk.device.usage',
      'disk.device.read.bytes',
    ];
    const distinct = async () => new Set((await plugin.poll(cycle(host), meters)).map(({ metadata }) => metadata));

    const first = await distinct();
    const second = await distinct();
    hypervisor.stats.set('uuid-1', statsOf({ state: 3 }));
    const paused = await distinct();
    hypervisor.domains = [{ ...domainOf() }];
    const changed = await distinct();

    expect(first.size).toBe(3);
    expect([...second]).toEqual([...first]);
    expect([...second].every((metadata) => first.has(metadata))).toBe(true);
    expect([...paused].some((metadata) => first.has(metadata))).toBe(false);
    expect([...changed].some((metadata) => paused.has(metadata))).toBe(false);
  });

  it('read a disk that was plugged in while the instance ran', async () => {
    const { hypervisor, host, plugin } = await setUp();
    await plugin.poll(cycle(host), ['disk.device.read.bytes']);
    const disk = (name: string) => `<disk><source file='/${name}'/><target dev='${name}'/></disk>`;
    hypervisor.domains = [domainOf({ devices: disk('vda') + disk('vdb') })];
    const { disks } = statsOf();
    hypervisor.stats.set('uuid-1', statsOf({ disks: [...disks, { name: 'vdb', readBytes: 77n }] }));

    const polled = await plugin.poll(cycle(host), ['disk.device.read.bytes']);

    expect(polled.map(({ resourceId, volume, metadata }) => [resourceId, volume, metadata?.['disk_name']])).toEqual([
      ['uuid-1-vda', 12n, 'vda'],
      ['uuid-1-vdb', 77n, 'vdb'],
    ]);
  });

  it('ask for the statistics of 100 instances once, whatever number of meters', async () => {
    const { hypervisor, host, plugin } = await setUp();
    hypervisor.domains = Array.from({ length: 100 }, (_, n) => domainOf({ uuid: `uuid-${n}` }));
    for (const { uuid } of hypervisor.domains) hypervisor.stats.set(uuid, statsOf());
    const ctx = cycle(host);

    const polled = await plugin.poll(ctx);

    expect(polled).toHaveLength(100 * 23 + 3);
    expect(hypervisor.calls).toMatchObject({ domains: 1, stats: 1 });
  });

  it('ask for nothing of domains that Nova did not make', async () => {
    const { hypervisor, host, plugin } = await setUp();
    hypervisor.domains.push(domainOf({ uuid: 'foreign', metadata: '' }));
    const asked: string[] = [];
    const inspector = host.inspector();
    const stats = inspector.stats.bind(inspector);
    inspector.stats = (domains, signal) => {
      asked.push(...domains.map(({ uuid }) => uuid));
      return stats(domains, signal);
    };

    await plugin.poll(cycle(host));

    expect(asked).toEqual(['uuid-1']);
  });

  it('fail while the hypervisor does not answer, and go on when it does', async () => {
    const { host, plugin } = await setUp();
    const inspector = host.inspector();
    const { stats } = inspector;

    inspector.stats = () => Promise.reject(new Error('no answer'));
    const failed = plugin.poll(cycle(host), ['cpu']);
    await expect(failed).rejects.toThrow('no answer');
    inspector.stats = stats;
    const polled = await plugin.poll(cycle(host), ['cpu']);

    expect(polled).toHaveLength(1);
  });

  it('refuse resources that are no instances for good, after the ones that are', async () => {
    const { host, plugin } = await setUp();
    const ctx = cycle(host);
    const [known] = await plugin.discover(ctx);
    const pollster = plugin.pollster('cpu');
    const yielded: string[] = [];

    async function poll(): Promise<void> {
      const resources = [{ id: 'snmp://switch' }, ...(known === undefined ? [] : [known])];
      for await (const { resourceId } of eachReading(await pollster.poll(resources, ctx))) yielded.push(resourceId);
    }

    await expect(poll()).rejects.toMatchObject({
      code: 'ERR_POLL_PERMANENT',
      resourceIds: ['snmp://switch'],
      message: 'cpu is read from instances of the discovery local_instances, not from snmp://switch',
    });
    expect(yielded).toEqual(['uuid-1']);
  });

  it.each(['network.incoming.bytes.rate', 'network.outgoing.bytes.rate'])(
    'know %s by name and say that libvirt does not measure it',
    async (name) => {
      const { host, plugin } = await setUp();

      await expect(plugin.poll(cycle(host), [name])).rejects.toMatchObject({
        code: 'ERR_POLL_PERMANENT',
        resourceIds: ['uuid-1'],
        message: `libvirt does not measure ${name}`,
      });
    },
  );
});
