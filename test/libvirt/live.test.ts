/** The inspector against a real libvirtd with real QEMU domains. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { codeOf } from '../../src/errors.ts';
import { createInspector, type LibvirtInspector } from '../../src/libvirt/create-inspector.ts';
import { libvirtAnswers } from '../../src/libvirt/index.ts';
import type { Domain } from '../../src/libvirt/inspector.ts';
import { domainXml as domainXmlCall } from '../../src/libvirt/procedures.ts';
import {
  createDomains,
  defineDomain,
  diskPath,
  domainUuid,
  macAddress,
  makeDisk,
  plainDomains,
  tapName,
} from '../helpers/domains.ts';
import { eventually } from '../helpers/eventually.ts';
import { describeWithLibvirtd, type Libvirtd, startLibvirtd } from '../helpers/libvirtd.ts';
import { type RecordingLog, recordingLog } from '../helpers/recording-log.ts';
import { type RpcTap, tapRpc } from '../helpers/rpc-tap.ts';

const { signal } = new AbortController();

const [first, second] = ['instance-00000001', 'instance-00000002'];
const stopped = 'instance-00000003';
const unicode = 'Größe & Söhne "日本語" 🚀';

describeWithLibvirtd('an inspector of a real libvirtd', () => {
  let libvirtd: Libvirtd;
  let tap: RpcTap;
  let inspector: LibvirtInspector;
  let log: RecordingLog;

  beforeAll(async () => {
    libvirtd = await startLibvirtd();
    await createDomains(libvirtd, [
      ...plainDomains(2),
      { name: stopped, state: 'shut off' },
      {
        name: unicode,
        displayName: unicode,
        vcpus: 2,
        maxVcpus: 4,
        state: 'paused',
        disks: ['raw', 'qcow2', 'empty-cdrom'],
        nics: ['user'],
        balloon: false,
      },
    ]);
  });

  afterAll(() => libvirtd?.close());

  beforeEach(async () => {
    tap = await tapRpc(libvirtd.socketRo);
    log = recordingLog();
    inspector = createInspector({ uri: tap.uri, log, callTimeout: 4_000 });
  });

  afterEach(async () => {
    await inspector.close();
    await tap.close();
  });

  async function domain(name: string): Promise<Domain> {
    const found = (await inspector.domains(signal)).find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`there is no domain ${name}`);
    return found;
  }

  async function statsOf(name: string) {
    const one = await domain(name);
    return (await inspector.stats([one], signal)).get(one.uuid);
  }

  it('lists all domains with their XML, live where they run', async () => {
    const domains = new Map((await inspector.domains(signal)).map((one) => [one.name, one]));

    expect([...domains.keys()].sort()).toEqual([unicode, first, second, stopped].sort());
    expect(domains.get(first)).toMatchObject({ uuid: domainUuid(first), id: expect.any(Number) });
    expect(domains.get(first)?.xml).toContain("<alias name='net0'/>");
    expect(domains.get(stopped)).toMatchObject({ uuid: domainUuid(stopped), id: -1 });
    expect(domains.get(stopped)?.xml).not.toContain('<alias');
    expect(domains.get(unicode)?.xml).toContain('Größe &amp; Söhne');
    expect(log.fields('connected to libvirt')).toEqual([
      { uri: tap.uri, version: expect.stringMatching(/^\d+\.\d+\.\d+$/), events: true },
    ]);
  });

  it('reads statistics that agree with those of virsh', async () => {
    const stats = await statsOf(first);
    const raw = await libvirtd.virsh(['domstats', '--raw', first]);

    const said = new Map(raw.split('\n').map((line) => line.trim().split('=') as [string, string]));
    const [disk] = stats?.disks ?? [];
    const [nic] = stats?.nics ?? [];
    expect(String(stats?.state)).toBe(said.get('state.state'));
    expect(String(stats?.balloon['maximum'])).toBe(said.get('balloon.maximum'));
    expect([disk?.name, disk?.writeBytes, disk?.capacity].map(String)).toEqual(
      ['name', 'wr.bytes', 'capacity'].map((key) => said.get(`block.0.${key}`)),
    );
    expect([nic?.name, nic?.txBytes, nic?.rxErrors].map(String)).toEqual(
      ['name', 'tx.bytes', 'rx.errs'].map((key) => said.get(`net.0.${key}`)),
    );
    expect(nic?.name).toBe(tapName(first, 0));
    expect(disk?.writeRequests).toBeGreaterThan(0n);
  });

  it('reads what is there of domains that are paused, shut off, without balloon and without host device', async () => {
    const paused = await statsOf(unicode);
    const off = await statsOf(stopped);

    expect(paused).toMatchObject({ state: 3, vcpuCurrent: 2, vcpuMaximum: 4, nics: [] });
    expect(paused?.disks.map(({ name }) => name)).toEqual(['vda', 'vdb', 'hdc']);
    expect(paused?.balloon['rss']).toBeGreaterThan(0n);
    expect(off).toMatchObject({ state: 5, vcpus: [] });
    expect(off?.cpuTime).toBeUndefined();
  });

  it('reads what images occupy as virsh does', async () => {
    const disk = { domain: await domain(first), device: 'vda' };

    const sizes = await inspector.blockInfo([disk, { ...disk, device: 'none' }], signal);

    const said = await libvirtd.virsh(['domblkinfo', first, 'vda']);
    const [capacity, allocation, physical] = [...said.matchAll(/\d+/g)].map(([digits]) => BigInt(digits));
    expect([...sizes]).toEqual([[disk, { capacity, allocation, physical }]]);
    expect(log.fields('libvirt does not tell about a domain')).toEqual([expect.objectContaining({ part: 'none' })]);
  });

  it('takes up what is defined, started, stopped and undefined, with one call for each change', async () => {
    const name = 'instance-00000010';
    await inspector.domains(signal);
    tap.forgetCalls();
    const idOf = async () => (await inspector.domains(signal)).find((one) => one.name === name)?.id;

    await createDomains(libvirtd, [{ name, state: 'shut off', disks: [], nics: [] }]);
    await eventually(idOf).toBe(-1);
    const callsToDefine = tap.calls.length;
    await libvirtd.virsh(['start', name]);
    await eventually(idOf).toBeGreaterThan(0);
    await libvirtd.virsh(['destroy', name]);
    await eventually(idOf).toBe(-1);
    await libvirtd.virsh(['undefine', name]);
    await eventually(idOf).toBeUndefined();
    const changes = tap.calls.length;
    await inspector.domains(signal);

    expect(callsToDefine).toBe(1);
    expect(new Set(tap.calls)).toEqual(new Set([domainXmlCall.number]));
    expect(tap.calls.length).toBe(changes);
  });

  it('lets go of a transient domain that is destroyed between list and statistics, without a warning', async () => {
    const name = 'instance-00000011';
    await createDomains(libvirtd, [{ name, transient: true, disks: [], nics: [] }]);
    const domains = await inspector.domains(signal);

    await libvirtd.virsh(['destroy', name]);
    const stats = await inspector.stats(domains, signal);

    expect(domains.map((one) => one.name)).toContain(name);
    expect(stats.size).toBe(domains.length - 1);
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
    expect((await inspector.domains(signal)).map((one) => one.name)).not.toContain(name);
  });

  it('reads XML again after a disk, an interface and a medium came, and after metadata changed', async () => {
    const xmlOf = async () => (await domain(first)).xml;
    const path = diskPath(libvirtd.folder, first, 9);
    const medium = diskPath(libvirtd.folder, unicode, 9);
    await makeDisk(path, 'raw');
    await makeDisk(medium, 'raw');
    await xmlOf();

    await libvirtd.virsh(['attach-disk', first, path, 'vdz', '--live']);
    await eventually(xmlOf).toContain("dev='vdz'");
    await libvirtd.virsh(['attach-interface', first, 'bridge', 'br0', '--mac', macAddress(first, 9), '--live']);
    await eventually(xmlOf).toContain(macAddress(first, 9));
    await libvirtd.virsh([
      'metadata',
      first,
      '--uri',
      'urn:test',
      '--key',
      't',
      '--set',
      '<note>hello</note>',
      '--live',
    ]);
    await eventually(xmlOf).toContain('hello');
    await libvirtd.virsh(['change-media', unicode, 'hdc', medium, '--insert', '--live']);
    await eventually(async () => (await domain(unicode)).xml).toContain(medium);

    expect((await statsOf(first))?.nics).toHaveLength(3);
  });

  it('finds libvirtd when it comes up after the agent, and says so in two lines', async () => {
    await libvirtd.stop();

    const absent = await inspector.domains(signal).catch((error: unknown) => error);
    const answeredBefore = await libvirtAnswers(libvirtd.uri, 1_000);
    await libvirtd.start();
    await eventually(async () => (await inspector.domains(signal).catch(() => [])).length).toBe(4);

    expect(codeOf(absent)).toBe('ERR_SERVICE');
    expect([answeredBefore, await libvirtAnswers(libvirtd.uri, 5_000)]).toEqual([false, true]);
    expect(log.told).toEqual(['error libvirt is not there, trying again with each poll', 'info connected to libvirt']);
  });

  it('survives SIGKILL of libvirtd five times, in the middle of calls', async () => {
    const domains = await inspector.domains(signal);

    for (let round = 1; round <= 5; round++) {
      const underWay = inspector.stats(domains, signal).catch((error: unknown) => codeOf(error));
      await libvirtd.kill();
      expect([undefined, 'ERR_SERVICE']).toContain(
        await underWay.then((result) => (typeof result === 'string' ? result : undefined)),
      );
      await libvirtd.start();
      await eventually(async () => (await inspector.stats(domains, signal).catch(() => undefined))?.size).toBe(4);
    }

    expect(inspector.connections).toBe(6);
    expect((await inspector.domains(signal)).map(({ name }) => name).sort()).toEqual(
      domains.map(({ name }) => name).sort(),
    );
  });

  it('goes on when a QEMU process is stopped, with what libvirt knows of that domain, and takes it back', async () => {
    await inspector.close();
    inspector = createInspector({ uri: tap.uri, log, callTimeout: 2_000 });
    const domains = await inspector.domains(signal);

    await libvirtd.signalDomain(second, 'STOP');
    const stuck = [await inspector.stats(domains, signal), await inspector.stats(domains, signal)];
    await libvirtd.signalDomain(second, 'CONT');
    const answers = async () => (await inspector.stats(domains, signal)).get(domainUuid(second))?.disks[0]?.readBytes;
    await eventually(answers).toBeTypeOf('bigint');

    for (const stats of stuck) {
      expect(stats.size).toBe(domains.length);
      expect(stats.get(domainUuid(first))?.disks[0]?.readBytes).toBeTypeOf('bigint');
      expect(stats.get(domainUuid(second))).toMatchObject({ state: 1, vcpus: [{ time: expect.any(BigInt) }] });
      expect(stats.get(domainUuid(second))?.disks[0]?.readBytes).toBeUndefined();
    }
    expect(log.fields('domain does not answer, its disk and memory statistics are missing until it does')).toEqual([
      { domain: domainUuid(second), name: second },
    ]);
    expect(log.fields('domain answers again')).toHaveLength(1);
  });

  it('keeps the name that a domain was given anew', async () => {
    await defineDomain(libvirtd, { name: 'before', disks: [], nics: [] });
    await domain('before');

    await libvirtd.virsh(['domrename', 'before', 'after']);
    await eventually(async () => (await inspector.domains(signal)).map(({ name }) => name)).toContain('after');

    const names = (await inspector.domains(signal)).map(({ name }) => name);
    await libvirtd.virsh(['undefine', 'after']);
    expect(names).not.toContain('before');
  });
});
