import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as proc from '../../../src/pollsters/host/proc.ts';
import { recorded } from './recorded.ts';

const hypervisor = recorded('hypervisor');

function text(path: string): string {
  return hypervisor.readProc(path) ?? '';
}

describe('the processors in /proc/stat', () => {
  it('are summed up by the kernel, and counters past 2^53 stay exact', () => {
    const ticks = proc.cpuTicks(text('/proc/stat'));

    expect(ticks).toEqual({
      user: 1234567890n,
      nice: 45678n,
      system: 345678901n,
      idle: 9007199254740995n,
      wait: 2345678n,
      interrupt: 0n,
      softInterrupt: 3456789n,
      steal: 0n,
    });
  });

  it('of an old kernel leave out what it does not count', () => {
    expect(proc.cpuTicks('cpu  1 2 3 4\n')).toEqual({ user: 1n, nice: 2n, system: 3n, idle: 4n });
  });

  it.each(['', 'cpu0 1 2 3 4\n', 'cpu  1 2 x 4\n'])('are unknown in %j', (stat) => {
    expect(proc.cpuTicks(stat)).toBeUndefined();
  });
});

describe('the disks in /proc/diskstats', () => {
  it('are those at the bottom: no partitions, loops, arrays, volumes or memory', () => {
    const devices = proc.disks(text('/proc/diskstats')).map(({ device }) => device);

    expect(devices).toEqual(['sda', 'sdb', 'sdp', 'nvme0n1', 'rbd0']);
  });

  it('count exact bytes from sectors of 512 bytes', () => {
    const [sda] = proc.disks(text('/proc/diskstats'));

    expect(sda).toEqual({
      device: 'sda',
      readRequests: 38451203n,
      readBytes: 9223372036854775807n * 512n,
      writeRequests: 58123456n,
      writeBytes: 18014398509481984n * 512n,
    });
  });

  it('keep a partition whose disk is not listed, as a guest on Xen has it', () => {
    const found = proc.disks(' 202 1 xvda1 1 0 2 0 3 0 4 0 0 0 0\n');

    expect(found.map(({ device }) => device)).toEqual(['xvda1']);
  });
});

describe('the interfaces in /proc/net/dev', () => {
  it("are the host's own, without loopback and the ends of guests' interfaces", () => {
    const names = proc.interfaces(text('/proc/net/dev')).map(({ name }) => name);

    expect(names).toEqual(['enp65s0f0np0', 'bond0', 'bond0.210', 'br-int']);
  });

  it('are read where a counter follows the colon at once, exactly', () => {
    const [first] = proc.interfaces(text('/proc/net/dev'));

    expect(first).toEqual({
      name: 'enp65s0f0np0',
      incomingBytes: 18014398509481985n,
      outgoingBytes: 9007199254740993n,
      outgoingErrors: 7n,
    });
  });
});

describe('the counters of the whole machine', () => {
  it('of IPv4 are found by their titles', () => {
    expect(proc.ipCounters(text('/proc/net/snmp'))).toEqual({ incoming: 12345678901234n, outgoing: 11345678901234n });
    expect(proc.ipCounters('Icmp: InMsgs\nIcmp: 1\n')).toBeUndefined();
  });

  it('of block devices are turned from KiB into blocks of 512 bytes', () => {
    expect(proc.blockCounters(text('/proc/vmstat'))).toEqual({ incoming: 18014398509481986n, outgoing: 14246913578n });
    expect(proc.blockCounters('pgpgin 1\n')).toBeUndefined();
  });
});

describe('the mounts in /proc/self/mountinfo', () => {
  it('are local file systems, each once and where its root shows', () => {
    const mounts = proc.localMounts(text('/proc/self/mountinfo'));

    expect(mounts).toEqual([
      { device: '/dev/mapper/vg0-root', path: '/', type: 'xfs' },
      { device: '/dev/nvme0n1p1', path: '/boot/efi', type: 'vfat' },
      { device: 'tank/data', path: '/tank/data', type: 'zfs' },
      { device: '/dev/mapper/vg0-nova', path: '/var/lib/nova/my instances', type: 'ext4' },
    ]);
  });

  it('of a container are its root alone, not the files that it was given', () => {
    const mounts = proc.localMounts(recorded('container').readProc('/proc/self/mountinfo') ?? '');

    expect(mounts).toEqual([{ device: 'overlay', path: '/', type: 'overlay' }]);
  });
});

describe('every reader', () => {
  it('takes whatever text there is without failing', () => {
    const readers = [
      proc.cpuTicks,
      proc.disks,
      proc.interfaces,
      proc.ipCounters,
      proc.blockCounters,
      proc.localMounts,
    ] as const;
    const words = fc.constantFrom(
      'cpu',
      'Ip:',
      'pgpgin',
      'sda',
      'eth0:',
      '-',
      '/',
      '\\040',
      '12',
      '-1',
      ' ',
      '\n',
      'ä',
    );

    fc.assert(
      fc.property(fc.array(words), fc.string(), (parts, noise) => {
        for (const read of readers) expect(() => read(parts.join(' ') + noise)).not.toThrow();
      }),
    );
  });
});
