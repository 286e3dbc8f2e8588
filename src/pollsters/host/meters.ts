/**
 * The meters under the names, types and units that Ceilometer's SNMP pollsters had until 2022, oddities included: KB
 * are of 1024 bytes, a tick is 10 ms, a block 512 bytes, and the counters of processors and disks are called gauges.
 * Where those meant what the daemon of Net-SNMP says on Linux, these mean the same.
 */
import { NoDataError, type PollContext } from '../../plugin.ts';
import type { Area, AreaState, Entry } from './area.ts';
import type { CpuShares } from './cpu-shares.ts';
import type {
  BlockCounters,
  CpuTicks,
  Disk,
  FileSystem,
  IpCounters,
  Machine,
  Memory,
  NetworkInterface,
} from './machine.ts';

export interface HostState extends AreaState {
  readonly machine: Machine;
  /** The shares since this source's last read. */
  readonly shares: (source: string, ticks: CpuTicks) => CpuShares | undefined;
}

type HostArea<T> = Area<HostState, T>;

function whole<T>(value: T | undefined): readonly Entry<T>[] {
  return value === undefined ? [] : [{ value }];
}

const load: HostArea<readonly number[]> = {
  name: 'load',
  load: async ({ machine }) => whole(await machine.loadAverages()),
  meters: {
    'hardware.cpu.load.1min': {
      type: 'gauge',
      unit: 'process',
      help: 'Processes that run or wait, over one minute.',
      float: true,
      read: ([one]) => one,
    },
    'hardware.cpu.load.5min': {
      type: 'gauge',
      unit: 'process',
      help: 'The same over five minutes.',
      float: true,
      read: ([, five]) => five,
    },
    'hardware.cpu.load.15min': {
      type: 'gauge',
      unit: 'process',
      help: 'The same over fifteen minutes.',
      float: true,
      read: ([, , fifteen]) => fifteen,
    },
  },
};

const ticksOf = ({ machine }: HostState, { cache }: PollContext): Promise<CpuTicks | undefined> =>
  cache.get('host:cpu.ticks', () => machine.cpu());

const cpu: HostArea<CpuTicks> = {
  name: 'cpu',
  load: async (state, ctx) => whole(await ticksOf(state, ctx)),
  meters: {
    'hardware.cpu.user': {
      type: 'gauge',
      unit: 'tick',
      help: 'CPU time of processes, in ticks of 10 ms over all processors.',
      read: ({ user }) => user,
    },
    'hardware.cpu.nice': {
      type: 'gauge',
      unit: 'tick',
      help: 'CPU time of processes of lowered priority.',
      read: ({ nice }) => nice,
    },
    'hardware.cpu.system': {
      type: 'gauge',
      unit: 'tick',
      help: 'CPU time of the kernel, interrupts included.',
      read: ({ system, interrupt = 0n, softInterrupt = 0n }) => system + interrupt + softInterrupt,
    },
    'hardware.cpu.idle': { type: 'gauge', unit: 'tick', help: 'Idle CPU time.', read: ({ idle }) => idle },
    'hardware.cpu.wait': {
      type: 'gauge',
      unit: 'tick',
      help: 'Idle CPU time while a disk was waited for.',
      read: ({ wait }) => wait,
    },
    'hardware.cpu.kernel': {
      type: 'gauge',
      unit: 'tick',
      help: 'CPU time of the kernel without interrupts.',
      read: ({ system }) => system,
    },
    'hardware.cpu.interrupt': {
      type: 'gauge',
      unit: 'tick',
      help: 'CPU time of interrupts.',
      read: ({ interrupt }) => interrupt,
    },
  },
};

const cpuShares: HostArea<CpuShares> = {
  name: 'cpu.shares',
  perSource: true,
  async load(state, ctx) {
    const ticks = await ticksOf(state, ctx);
    const since = ticks && state.shares(ctx.source, ticks);
    if (since === undefined) throw new NoDataError('the use of the processors shows between two reads');
    return whole(since);
  },
  meters: {
    'hardware.cpu.util': {
      type: 'gauge',
      unit: '%',
      help: 'Share of the CPU time since the poll before that was neither idle nor waiting for a disk.',
      float: true,
      read: ({ busy }) => busy,
    },
    'hardware.system_stats.cpu.idle': {
      type: 'gauge',
      unit: '%',
      help: 'Share of the CPU time since the poll before that was idle.',
      float: true,
      read: ({ idle }) => idle,
    },
  },
};

const kilobytes = (bytes: number | undefined): number | undefined =>
  bytes === undefined ? undefined : Math.floor(bytes / 1024);

const memory: HostArea<Memory> = {
  name: 'memory',
  load: async ({ machine }) => whole(await machine.memory()),
  meters: {
    'hardware.memory.total': {
      type: 'gauge',
      unit: 'KB',
      help: 'Memory of the machine, in units of 1024 bytes.',
      read: ({ total }) => kilobytes(total),
    },
    // Buffers and caches count as used, as they always did under this name.
    'hardware.memory.used': {
      type: 'gauge',
      unit: 'KB',
      help: 'Memory that is not free; buffers and caches count as used.',
      read: ({ total, free }) => kilobytes(total - free),
    },
    'hardware.memory.buffer': {
      type: 'gauge',
      unit: 'KB',
      help: 'Memory in buffers.',
      read: ({ buffers }) => kilobytes(buffers),
    },
    'hardware.memory.cached': {
      type: 'gauge',
      unit: 'KB',
      help: 'Memory in the page cache.',
      read: ({ cached }) => kilobytes(cached),
    },
    'hardware.memory.swap.total': {
      type: 'gauge',
      unit: 'KB',
      help: 'Swap space.',
      read: ({ swap }) => kilobytes(swap?.total),
    },
    'hardware.memory.swap.avail': {
      type: 'gauge',
      unit: 'KB',
      help: 'Free swap space.',
      read: ({ swap }) => kilobytes(swap?.free),
    },
  },
};

const fileSystems: HostArea<FileSystem> = {
  name: 'filesystems',
  async load({ machine }) {
    const found = await machine.fileSystems();
    return found.map((value) => ({
      part: value.device,
      value,
      metadata: { device: value.device, path: value.path, fstype: value.type },
    }));
  },
  meters: {
    'hardware.disk.size.total': {
      type: 'gauge',
      unit: 'KB',
      help: 'Size of a local file system, in units of 1024 bytes.',
      read: ({ total }) => total / 1024n,
    },
    'hardware.disk.size.used': {
      type: 'gauge',
      unit: 'KB',
      help: 'Used part of a local file system.',
      read: ({ used }) => used / 1024n,
    },
  },
};

const disks: HostArea<Disk> = {
  name: 'disks',
  async load({ machine }) {
    const found = await machine.disks();
    return found.map((value) => ({ part: value.device, value, metadata: { device: value.device } }));
  },
  meters: {
    'hardware.disk.read.bytes': {
      type: 'gauge',
      unit: 'B',
      help: 'Bytes read from a disk since the machine started.',
      read: ({ readBytes }) => readBytes,
    },
    'hardware.disk.write.bytes': {
      type: 'gauge',
      unit: 'B',
      help: 'Bytes written to a disk.',
      read: ({ writeBytes }) => writeBytes,
    },
    'hardware.disk.read.requests': {
      type: 'gauge',
      unit: 'requests',
      help: 'Reads of a disk.',
      read: ({ readRequests }) => readRequests,
    },
    'hardware.disk.write.requests': {
      type: 'gauge',
      unit: 'requests',
      help: 'Writes of a disk.',
      read: ({ writeRequests }) => writeRequests,
    },
  },
};

const interfaces: HostArea<NetworkInterface> = {
  name: 'interfaces',
  async load({ machine }) {
    const found = await machine.interfaces();
    return found.map((value) => {
      const { name, mac, speed, ip } = value;
      const known = { ...(mac && { mac }), ...(speed && { speed }), ...(ip && { ip }) };
      return { part: name, value, metadata: { name, ...known } };
    });
  },
  meters: {
    'hardware.network.incoming.bytes': {
      type: 'cumulative',
      unit: 'B',
      help: 'Bytes that an interface received.',
      read: ({ incomingBytes }) => incomingBytes,
    },
    'hardware.network.outgoing.bytes': {
      type: 'cumulative',
      unit: 'B',
      help: 'Bytes that an interface sent.',
      read: ({ outgoingBytes }) => outgoingBytes,
    },
    'hardware.network.outgoing.errors': {
      type: 'cumulative',
      unit: 'packet',
      help: 'Packets that an interface could not send.',
      read: ({ outgoingErrors }) => outgoingErrors,
    },
  },
};

const ip: HostArea<IpCounters> = {
  name: 'ip',
  load: async ({ machine }) => whole(await machine.ip()),
  meters: {
    'hardware.network.ip.incoming.datagrams': {
      type: 'cumulative',
      unit: 'datagrams',
      help: 'IP datagrams received.',
      read: ({ incoming }) => incoming,
    },
    'hardware.network.ip.outgoing.datagrams': {
      type: 'cumulative',
      unit: 'datagrams',
      help: 'IP datagrams sent.',
      read: ({ outgoing }) => outgoing,
    },
  },
};

const blocks: HostArea<BlockCounters> = {
  name: 'blocks',
  load: async ({ machine }) => whole(await machine.blocks()),
  meters: {
    'hardware.system_stats.io.incoming.blocks': {
      type: 'cumulative',
      unit: 'blocks',
      help: 'Blocks of 512 bytes read from all disks.',
      read: ({ incoming }) => incoming,
    },
    'hardware.system_stats.io.outgoing.blocks': {
      type: 'cumulative',
      unit: 'blocks',
      help: 'Blocks of 512 bytes written to all disks.',
      read: ({ outgoing }) => outgoing,
    },
  },
};

export const areas = { load, cpu, cpuShares, memory, fileSystems, disks, interfaces, ip, blocks };
