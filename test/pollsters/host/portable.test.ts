import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createPortableMachine, type PortableSources } from '../../../src/pollsters/host/portable.ts';
import { recorded } from './recorded.ts';

const times = { user: 1000, nice: 20, sys: 500, idle: 8000, irq: 0 };

function stats(iface: string, rx_bytes: number, tx_bytes: number) {
  const more = {
    operstate: 'up',
    rx_dropped: 0,
    rx_errors: 0,
    tx_dropped: 0,
    tx_errors: 3,
    rx_sec: 0,
    tx_sec: 0,
    ms: 0,
  };
  return { iface, rx_bytes, tx_bytes, ...more };
}

function laptop(overrides: Partial<PortableSources> = {}): PortableSources {
  const address = { family: 'IPv4', netmask: '255.255.255.0', mac: '02:00:00:00:00:09', internal: false } as const;
  return {
    mem: recorded('vm').mem,
    fsSize: async () => [
      {
        fs: '/dev/disk3s1s1',
        type: 'APFS',
        size: 494384795648,
        used: 11000000512,
        available: 1,
        use: 2,
        mount: '/',
        rw: false,
      },
      { fs: 'devfs', type: 'devfs', size: 212992, used: 212992, available: 0, use: 100, mount: '/dev', rw: true },
      {
        fs: '//guest@nas/share',
        type: 'SMB',
        size: 1000,
        used: 10,
        available: 990,
        use: 1,
        mount: '/Volumes/share',
        rw: true,
      },
    ],
    networkStats: async (names) => names.split(',').map((name) => stats(name, name === 'en0' ? 2 ** 53 - 1 : 0, 0)),
    cpus: () => [
      { model: 'one', speed: 1, times },
      { model: 'two', speed: 1, times },
    ],
    loadavg: () => [1, 2, 3],
    networkInterfaces: () => ({
      lo0: [{ ...address, address: '127.0.0.1', cidr: null }],
      en0: [{ ...address, address: '192.0.2.20', cidr: null }],
      awdl0: [{ ...address, address: '192.0.2.21', cidr: null }],
    }),
    ...overrides,
  };
}

describe('a machine without /proc', () => {
  it('has processors, memory and local file systems', async () => {
    const machine = createPortableMachine(laptop());

    expect(await machine.cpu()).toEqual({ user: 200n, nice: 4n, system: 100n, idle: 1600n, interrupt: 0n });
    expect(await machine.memory()).toMatchObject({ total: 25276514304, free: 24184102912 });
    expect(await machine.fileSystems()).toEqual([
      { device: '/dev/disk3s1s1', path: '/', type: 'APFS', total: 494384795648n, used: 11000000512n },
    ]);
  });

  it('has the counters of interfaces that answered', async () => {
    const machine = createPortableMachine(laptop());

    expect(await machine.interfaces()).toEqual([
      {
        name: 'en0',
        incomingBytes: 9007199254740991n,
        outgoingBytes: 0n,
        outgoingErrors: 3n,
        mac: '02:00:00:00:00:09',
        ip: '192.0.2.20',
      },
    ]);
  });

  it('starts nothing where there is no interface', async () => {
    const networkStats = async () => {
      throw new Error('was called');
    };
    const machine = createPortableMachine(laptop({ networkInterfaces: () => ({}), networkStats }));

    expect(await machine.interfaces()).toEqual([]);
  });

  it('leaves out counters that are no numbers', async () => {
    const networkStats = async () => [stats('en0', Number.NaN, 5), stats('awdl0', 5, 2 ** 60)];
    const machine = createPortableMachine(laptop({ networkStats }));

    expect(await machine.interfaces()).toEqual([]);
  });

  it('does not tell what only Linux counts', async () => {
    const machine = createPortableMachine(laptop({ cpus: () => [], loadavg: () => undefined }));

    const answers = await Promise.all([
      machine.loadAverages(),
      machine.cpu(),
      machine.disks(),
      machine.ip(),
      machine.blocks(),
    ]);

    expect(answers).toEqual([undefined, undefined, [], undefined, undefined]);
  });

  it('is what systeminformation says of this one', async () => {
    const si = (await import('systeminformation')).default;
    const machine = createPortableMachine(
      laptop({
        mem: () => si.mem(),
        fsSize: () => si.fsSize(),
        networkStats: (names) => si.networkStats(names),
        networkInterfaces,
      }),
    );

    const [memory, fileSystems, interfaces] = await Promise.all([
      machine.memory(),
      machine.fileSystems(),
      machine.interfaces(),
    ]);

    expect(memory?.total).toBeGreaterThan(0);
    for (const { total, used } of fileSystems) expect(used <= total).toBe(true);
    for (const { incomingBytes, name } of interfaces) expect([name, incomingBytes]).toEqual([name, expect.any(BigInt)]);
  });
});
