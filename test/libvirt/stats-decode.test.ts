import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeStats } from '../../src/libvirt/stats-decode.ts';
import { XdrReader, XdrWriter } from '../../src/libvirt/xdr.ts';
import { type FakeDomain, fakeDomain, type ParamValue, statsPayload } from '../../src/testing/fake-libvirtd-wire.ts';
import { recorded } from './recorded.ts';

function decode(payload: Buffer) {
  const reader = new XdrReader(payload);
  const reply = decodeStats(reader);
  reader.end();
  return reply;
}

function decodeParams(stats: Readonly<Record<string, ParamValue>>) {
  return decode(statsPayload([fakeDomain(1, { stats })])).records[0]?.stats;
}

function recordedStats(name: string) {
  const { records } = decode(recorded.reply('allDomainStats'));
  return records.find(({ domain }) => domain.name === name)?.stats;
}

describe('statistics that libvirtd sent', () => {
  it('of a running domain are decoded into their fields', () => {
    expect(recordedStats('instance-00000001')).toEqual({
      state: 1,
      reason: 1,
      cpuTime: expect.any(BigInt),
      vcpuCurrent: 1,
      vcpuMaximum: 1,
      vcpus: [{ time: expect.any(BigInt), wait: 0n }],
      balloon: { current: 32768n, maximum: 32768n, 'last-update': 0n, rss: expect.any(BigInt) },
      nics: [
        {
          name: expect.stringMatching(/^tap/),
          rxBytes: expect.any(BigInt),
          rxPackets: expect.any(BigInt),
          rxErrors: 0n,
          rxDrop: expect.any(BigInt),
          txBytes: 0n,
          txPackets: 0n,
          txErrors: 0n,
          txDrop: 0n,
        },
        expect.objectContaining({ name: expect.stringMatching(/^tap/), rxBytes: expect.any(BigInt) }),
      ],
      disks: [
        {
          name: 'vda',
          readRequests: 1n,
          readBytes: 512n,
          readTimes: expect.any(BigInt),
          writeRequests: 1n,
          writeBytes: 4096n,
          writeTimes: expect.any(BigInt),
          allocation: 393216n,
          capacity: 67108864n,
          physical: 331776n,
        },
        expect.objectContaining({ name: 'vdb', capacity: 33554432n }),
      ],
      perf: {},
      monotonicTime: expect.any(Number),
    });
  });

  it('of a domain with 2 of 4 vCPUs have only the two', () => {
    const stats = recordedStats('instance-00000002');

    expect(stats).toMatchObject({ vcpuCurrent: 2, vcpuMaximum: 4 });
    expect(stats?.vcpus.filter(Boolean)).toHaveLength(2);
  });

  it('of a domain that is shut off have a state, and not the CPU time of libvirtd that is sent for it', () => {
    const stats = recordedStats('instance-00000003');

    expect(stats).toMatchObject({ state: 5, vcpus: [] });
    expect(stats?.cpuTime).toBeUndefined();
  });

  it('of a domain whose first interface has no device on the host have the second one', () => {
    const names = recordedStats('instance-00000005')?.nics.map((nic) => nic.name);

    expect(names).toHaveLength(1);
    expect(names?.[0]).toMatch(/^tap/);
  });

  it('of a domain without devices have empty lists', () => {
    expect(recordedStats('Größe & Söhne 🚀')).toMatchObject({ state: 3, nics: [], disks: [] });
  });

  it('are known to be complete or not', () => {
    const whole = decode(recorded.reply('allDomainStats')).records;
    const busy = decode(recorded.reply('busyDomainStats')).records;

    expect(whole.every(({ complete }) => complete)).toBe(true);
    expect(busy.map(({ complete }) => complete)).toEqual([false]);
  });

  it('of a busy domain have what libvirt knows by itself, and nothing made up for the rest', () => {
    const stats = decode(recorded.reply('busyDomainStats')).records[0]?.stats;

    expect(stats).toMatchObject({ state: 1, cpuTime: expect.any(BigInt), vcpus: [{ time: expect.any(BigInt) }] });
    expect(stats?.disks).toEqual([{ name: 'vda' }, { name: 'vdb' }]);
    expect(stats?.balloon).toEqual({ current: 32768n, maximum: 32768n });
  });
});

describe('counters', () => {
  it('above 2^53 stay exact', () => {
    const cpuTime = 2n ** 53n + 1n;
    const rxBytes = 2n ** 64n - 2n;

    const stats = decodeParams({ 'cpu.time': cpuTime, 'net.0.rx.bytes': rxBytes, 'perf.instructions': 2n ** 63n });

    expect(stats).toMatchObject({ cpuTime, nics: [{ rxBytes }], perf: { instructions: 2n ** 63n } });
  });

  it('that libvirt gives as -1 are absent, signed or unsigned', () => {
    const stats = decodeParams({
      'cpu.time': -1n,
      'block.0.name': 'vda',
      'block.0.rd.reqs': 2n ** 64n - 1n,
      'block.0.wr.reqs': -1,
      'block.0.capacity': 0n,
    });

    expect(stats?.cpuTime).toBeUndefined();
    expect(stats?.disks).toEqual([{ name: 'vda', capacity: 0n }]);
  });

  it('of another type than a number are absent', () => {
    expect(decodeParams({ 'cpu.time': 'many', 'balloon.rss': true })).toMatchObject({ balloon: {} });
  });

  it('of vCPUs keep their places', () => {
    const stats = decodeParams({ 'vcpu.0.time': 1n, 'vcpu.3.time': 4n, 'vcpu.3.wait': 5n });

    expect(stats?.vcpus[0]).toEqual({ time: 1n });
    expect(stats?.vcpus[1]).toBeUndefined();
    expect(stats?.vcpus[3]).toEqual({ time: 4n, wait: 5n });
    expect(stats?.vcpus).toHaveLength(4);
  });

  it('of names that mean nothing here change nothing', () => {
    const stats = decodeParams({
      'block.4294967295.rd.reqs': 1n,
      'net.99999.rx.bytes': 1n,
      'vcpu.-1.time': 1n,
      'balloon.__proto__': 1n,
      'block.0.constructor': 1n,
      'iothread.0.poll': 1n,
      '': 1n,
    });

    expect(stats).toMatchObject({ vcpus: [], nics: [], disks: [], balloon: {}, perf: {} });
  });
});

describe('a reply', () => {
  it('keeps the records before one that is garbled, and says what is wrong', () => {
    const writer = new XdrWriter();
    const good = statsPayload([fakeDomain(1)]).subarray(4);
    writer.uint(3).fixedOpaque(good);
    writer.string('bad').fixedOpaque(Buffer.alloc(16)).int(1).uint(1).string('cpu.time').int(25).int(0).int(0).int(0);
    writer.fixedOpaque(good);

    const reply = decode(writer.finish());

    expect(reply.records.map(({ domain }) => domain.name)).toEqual(['instance-00000001']);
    expect(reply.garbled).toBe('typed parameter of unknown type 25');
  });

  it('of arbitrary parameters is decoded without an error', () => {
    const value = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n), fc.integer(), fc.string(), fc.boolean());
    const name = fc.oneof(
      fc.string(),
      fc
        .tuple(
          fc.constantFrom('block', 'net', 'vcpu', 'balloon', 'perf'),
          fc.nat(70_000),
          fc.constantFrom('name', 'rd.reqs', 'time'),
        )
        .map((words) => words.join('.')),
    );
    fc.assert(
      fc.property(fc.array(fc.dictionary(name, value)), (list) => {
        const domains: readonly FakeDomain[] = list.map((stats, index) => fakeDomain(index, { stats }));

        const reply = decode(statsPayload(domains));

        expect(reply.records).toHaveLength(domains.length);
        expect(reply.garbled).toBeUndefined();
      }),
    );
  });
});
