import type { BlockInfo, DiskStats } from '../../libvirt/inspector.ts';
import type { Row, Table } from './domain-pollsters.ts';
import type { InstanceSaid } from './families.ts';
import { subtract } from './integer.ts';

type CounterKey = Exclude<keyof DiskStats, 'name'>;

function counter(unit: string, key: CounterKey, help: string): Row<DiskStats> {
  return { type: 'cumulative', unit, help, read: (disk) => disk[key] };
}

export const disk: Table<DiskStats> = {
  'disk.device.read.requests': counter('request', 'readRequests', 'Read requests.'),
  'disk.device.read.bytes': counter('B', 'readBytes', 'Bytes read.'),
  'disk.device.read.latency': counter('ns', 'readTimes', 'Time that reads took altogether.'),
  'disk.device.write.requests': counter('request', 'writeRequests', 'Write requests.'),
  'disk.device.write.bytes': counter('B', 'writeBytes', 'Bytes written.'),
  'disk.device.write.latency': counter('ns', 'writeTimes', 'Time that writes took altogether.'),
};

function size(help: string, read: (info: BlockInfo) => bigint): Row<BlockInfo> {
  return { type: 'gauge', unit: 'B', help, stopped: 'reported', read };
}

export const diskImage: Table<BlockInfo> = {
  // The image of a CD-ROM may be smaller than the blocks it fills.
  'disk.device.capacity': size('Size of the disk as the guest sees it.', ({ capacity, physical }) =>
    capacity > physical ? capacity : physical,
  ),
  'disk.device.allocation': size(
    'Highest byte of the image that is in use, or what its file occupies.',
    ({ allocation }) => allocation,
  ),
  'disk.device.usage': size('Size of the image on the host.', ({ physical }) => physical),
};

export const diskSize: Table<InstanceSaid> = {
  // Upstream's: Nova's `disk` is the root disk alone, so that this is too small where there is an ephemeral one.
  'disk.root.size': {
    type: 'gauge',
    unit: 'GiB',
    help: "Disk of the flavor less its ephemeral disk, from the Nova metadata. As upstream's it is too small where there is an ephemeral disk, which Nova does not count in.",
    stopped: 'always',
    read: ({ instance: { nova } }) => subtract(nova.flavor.disk, nova.flavor.ephemeral),
  },
  'disk.ephemeral.size': {
    type: 'gauge',
    unit: 'GiB',
    help: 'Ephemeral disk of the flavor, from the Nova metadata.',
    stopped: 'always',
    read: ({ instance }) => instance.nova.flavor.ephemeral,
  },
};
