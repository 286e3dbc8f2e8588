import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createInspector } from '../../../src/libvirt/index.ts';
import compute from '../../../src/pollsters/compute/index.ts';
import { createDomains, diskPath, domainUuid, makeDisk, tapName } from '../../helpers/domains.ts';
import { describeWithLibvirtd, type Libvirtd, startLibvirtd } from '../../helpers/libvirtd.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { cycle, type FakeHost, hostWith, type LoadedPlugin, load, type Polled } from './support.ts';

/** What virsh prints as words and numbers, by word: `Capacity: 1024`, `vda rd_req 5`, `actual 32768`. */
function numbers(printed: string): Map<string, bigint> {
  return new Map(
    Array.from(printed.matchAll(/(\w+):? +(\d+)$/gm), ([, word = '', digits = '']) => [word, BigInt(digits)]),
  );
}

function byResource(polled: readonly Polled[]): Map<string, Polled> {
  return new Map(polled.map((reading) => [`${reading.meter.name} ${reading.resourceId}`, reading]));
}

describeWithLibvirtd('the compute pollsters on a live libvirt', () => {
  let libvirtd: Libvirtd;
  let host: FakeHost;
  let plugin: LoadedPlugin;

  beforeAll(async () => {
    libvirtd = await startLibvirtd();
    await createDomains(libvirtd, [
      { name: 'plain', displayName: 'Zoë\'s "web" <srv> 🚀' },
      {
        name: 'odd',
        displayName: 'odd',
        vcpus: 2,
        maxVcpus: 4,
        balloon: false,
        state: 'paused',
        disks: ['qcow2', 'raw', 'empty-cdrom'],
        nics: ['user', 'bridge'],
        metadata: { version: '1.0', image: false, flavor: { id: false, extraSpecs: false } },
      },
      { name: 'off', displayName: 'off', state: 'shut off' },
      { name: 'foreign', displayName: false },
      { name: 'ownerless', metadata: { owner: false } },
    ]);
    host = hostWith(createInspector({ uri: libvirtd.uri, log: recordingLog() }));
    plugin = await load(compute, host);
  });

  afterAll(async () => {
    await host?.inspector().close();
    await libvirtd?.close();
  });

  /** What libvirt's single calls, which upstream makes, say of a domain's devices and memory. */
  async function facts(name: string, disks: readonly string[], taps: readonly string[]): Promise<Map<string, bigint>> {
    const found = new Map<string, bigint>();
    const uuid = domainUuid(name);
    for (const disk of disks) {
      const info = numbers(await libvirtd.virsh(['domblkinfo', name, disk]));
      const stat = numbers(await libvirtd.virsh(['domblkstat', name, disk]));
      const values = {
        allocation: info.get('Allocation'),
        usage: info.get('Physical'),
        'read.requests': stat.get('rd_req'),
        'read.bytes': stat.get('rd_bytes'),
        'read.latency': stat.get('rd_total_times'),
        'write.requests': stat.get('wr_req'),
        'write.bytes': stat.get('wr_bytes'),
        'write.latency': stat.get('wr_total_times'),
      };
      for (const [key, value] of Object.entries(values)) found.set(`disk.device.${key} ${uuid}-${disk}`, value ?? -1n);
    }
    for (const tap of taps) {
      const stat = numbers(await libvirtd.virsh(['domifstat', name, tap]));
      for (const [ours, theirs] of [
        ['incoming', 'rx'],
        ['outgoing', 'tx'],
      ]) {
        const resource = `${name}-${uuid}-${tap}`;
        found.set(`network.${ours}.bytes ${resource}`, stat.get(`${theirs}_bytes`) ?? -1n);
        found.set(`network.${ours}.packets ${resource}`, stat.get(`${theirs}_packets`) ?? -1n);
        found.set(`network.${ours}.packets.error ${resource}`, stat.get(`${theirs}_errs`) ?? -1n);
        found.set(`network.${ours}.packets.drop ${resource}`, stat.get(`${theirs}_drop`) ?? -1n);
      }
    }
    return found;
  }

  async function allFacts(): Promise<Map<string, bigint>> {
    const plain = await facts('plain', ['vda', 'vdb'], [tapName('plain', 0), tapName('plain', 1)]);
    return new Map([...plain, ...(await facts('odd', ['vda', 'vdb'], [tapName('odd', 1)]))]);
  }

  it('read what the single calls say that upstream makes', async () => {
    const before = await allFacts();
    const polled = byResource(await plugin.poll(cycle(host)));
    const after = await allFacts();

    const wrong = [...before].filter(([key, low]) => {
      const volume = polled.get(key)?.volume;
      return volume === undefined || volume < low || volume > (after.get(key) ?? -1n);
    });
    expect(before.size).toBe(4 * 8 + 3 * 8);
    expect(wrong).toEqual([]);
  });

  it('read each instance by its state and its devices', async () => {
    const polled = await plugin.poll(cycle(host));

    const count = (name: string) =>
      polled.filter(({ metadata }) => metadata?.['instance_id'] === domainUuid(name)).length;
    const value = (meter: string, name: string) => byResource(polled).get(`${meter} ${domainUuid(name)}`)?.volume;
    expect(value('power.state', 'plain')).toBe(1);
    expect(value('power.state', 'odd')).toBe(3);
    expect(value('vcpus', 'odd')).toBe(2);
    expect(value('memory', 'plain')).toBe(32);
    expect(value('memory', 'odd')).toBeUndefined();
    expect(value('memory.resident', 'odd')).toBeGreaterThan(1);
    expect(value('cpu', 'plain')).toBeGreaterThan(0n);
    expect(value('power.state', 'off')).toBeUndefined();
    expect(count('off')).toBe(2);
    expect(count('foreign') + count('ownerless')).toBe(0);
    expect(polled.find(({ resourceId }) => resourceId === domainUuid('plain'))?.metadata).toMatchObject({
      display_name: 'Zoë\'s "web" <srv> 🚀',
      name: 'plain',
      state: 'running',
    });
    expect(polled.find(({ resourceId }) => resourceId === domainUuid('odd'))?.metadata).toMatchObject({
      flavor: { id: 'm1.tiny', name: 'm1.tiny' },
      image: null,
      state: 'paused',
    });
  });

  it('share metadata between cycles while nothing changes', async () => {
    const first = byResource(await plugin.poll(cycle(host)));
    const second = byResource(await plugin.poll(cycle(host)));

    const changed = [...second].filter(
      ([key, { metadata }]) => first.has(key) && first.get(key)?.metadata !== metadata,
    );
    expect(changed).toEqual([]);
  });

  it('follow a disk that is plugged in and an instance that is started', async () => {
    const path = diskPath(libvirtd.folder, 'plain', 9);
    await makeDisk(path, 'raw');

    await libvirtd.virsh(['attach-disk', 'plain', path, 'vdz', '--live'], ['start', 'off']);

    await vi.waitFor(async () => {
      const polled = byResource(await plugin.poll(cycle(host)));
      expect(polled.get(`disk.device.capacity ${domainUuid('plain')}-vdz`)?.volume).toBe(32n * 1024n * 1024n);
      expect(polled.get(`power.state ${domainUuid('off')}`)?.volume).toBe(1);
    }, PATIENCE);
  });

  it('lose only the instance that goes away', async () => {
    await libvirtd.virsh(['destroy', 'off'], ['undefine', 'off']);

    await vi.waitFor(async () => {
      const ids = (await plugin.poll(cycle(host), ['disk.root.size'])).map(({ resourceId }) => resourceId);
      expect(ids.sort()).toEqual([domainUuid('plain'), domainUuid('odd')].sort());
    }, PATIENCE);
  });
});
