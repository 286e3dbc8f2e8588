import { describe, expect, it } from 'vitest';
import { disksAmong, isHostInterface, isLocalFileSystem } from '../../../src/pollsters/host/devices.ts';

describe('interfaces', () => {
  it.each(['eth0', 'enp65s0f0', 'bond0', 'bond0.210', 'br-ex', 'virbr0', 'docker0', 'wlan0', 'ib0', 'lan1'])(
    "%s is the host's own",
    (name) => {
      expect(isHostInterface(name)).toBe(true);
    },
  );

  it.each([
    'lo',
    'lo0',
    'tap1a2b3c4d-5e',
    'vnet12',
    'macvtap3',
    'veth9f8e7d6',
    'qbr1a',
    'qvb1a',
    'qvo1a',
    'cali12ab',
    'ifb0',
  ])('%s is not', (name) => {
    expect(isHostInterface(name)).toBe(false);
  });
});

describe('block devices', () => {
  it.each([
    { devices: ['sda', 'sda1', 'sda15'], disks: ['sda'] },
    { devices: ['sdp', 'sdp1'], disks: ['sdp'] },
    { devices: ['nvme0n1', 'nvme0n1p1', 'nvme0n10'], disks: ['nvme0n1', 'nvme0n10'] },
    { devices: ['mmcblk0', 'mmcblk0p2'], disks: ['mmcblk0'] },
    { devices: ['rbd1', 'rbd10', 'rbd10p1'], disks: ['rbd1', 'rbd10'] },
    { devices: ['loop0', 'ram1', 'zram0', 'sr0', 'fd0', 'dm-0', 'md127'], disks: [] },
  ])('among $devices the disks are $disks', ({ devices, disks }) => {
    expect([...disksAmong(devices)]).toEqual(disks);
  });
});

describe('file systems', () => {
  it.each([
    { source: '/dev/sda1', type: 'ext4', path: '/', local: true },
    { source: '/dev/mapper/vg-root', type: 'xfs', path: '/', local: true },
    { source: 'tank/data', type: 'zfs', path: '/tank', local: true },
    { source: 'overlay', type: 'overlay', path: '/', local: true },
    { source: 'overlay', type: 'overlay', path: '/var/lib/docker/overlay2/a/merged', local: false },
    { source: 'tmpfs', type: 'tmpfs', path: '/run', local: false },
    { source: '/dev/loop3', type: 'squashfs', path: '/snap/core', local: false },
    { source: '/dev/loop4', type: 'ext4', path: '/mnt', local: false },
    { source: '192.0.2.1:/export', type: 'nfs4', path: '/mnt', local: false },
    { source: '/dev/sdb1', type: 'fuseblk', path: '/mnt', local: false },
    { source: '/dev/sr0', type: 'iso9660', path: '/media', local: false },
  ])('$type of $source on $path: local is $local', ({ source, type, path, local }) => {
    expect(isLocalFileSystem(source, type, path)).toBe(local);
  });
});
