import type { BlockInfo, DiskStats } from '../../libvirt/inspector.ts';
import type { Row, Table } from './domain-pollsters.ts';
import type { InstanceSaid } from './families.ts';
import { subtract } from './integer.ts';

type CounterKey = Exclude<keyof DiskStats, 'name'>;

function counter(unit: string, key: CounterKey): Row<DiskStats> {
  return { type: 'cumulative', unit, read: (disk) => disk[key] };
}

export const disk: Table<DiskStats> = {
  'disk.device.read.requests': counter('request', 'readRequests'),
  'disk.device.read.bytes': counter('B', 'readBytes'),
  'disk.device.read.latency': counter('ns', 'readTimes'),
  'disk.device.write.requests': counter('request', 'writeRequests'),
  'disk.device.write.bytes': counter('B', 'writeBytes'),
  'disk.device.write.latency': counter('ns', 'writeTimes'),
};

function size(read: (info: BlockInfo) => bigint): Row<BlockInfo> {
  return { type: 'gauge', unit: 'B', stopped: 'reported', read };
}

export const diskImage: Table<BlockInfo> = {
  // The image of a CD-ROM may be smaller than the blocks it fills.
  'disk.device.capacity': size(({ capacity, physical }) => (capacity > physical ? capacity : physical)),
  'disk.device.allocation': size(({ allocation }) => allocation),
  'disk.device.usage': size(({ physical }) => physical),
};

export const diskSize: Table<InstanceSaid> = {
  // Upstream's: Nova's `disk` is the root disk alone, so that this is too small where there is an ephemeral one.
  'disk.root.size': {
    type: 'gauge',
    unit: 'GiB',
    stopped: 'always',
    read: ({ instance: { nova } }) => subtract(nova.flavor.disk, nova.flavor.ephemeral),
  },
  'disk.ephemeral.size': {
    type: 'gauge',
    unit: 'GiB',
    stopped: 'always',
    read: ({ instance }) => instance.nova.flavor.ephemeral,
  },
};
