/** This machine where there is no `/proc`: what Node and systeminformation tell on every platform. */
import type { CpuInfo, NetworkInterfaceInfo } from 'node:os';
import type { Systeminformation } from 'systeminformation';
import { singleFlight } from '../../util/single-flight.ts';
import { isHostInterface } from './devices.ts';
import { addressOf } from './interface-facts.ts';
import type { CpuTicks, FileSystem, Machine, NetworkInterface } from './machine.ts';
import { memoryOf } from './memory.ts';

export interface PortableSources {
  mem(): Promise<Systeminformation.MemData>;
  fsSize(): Promise<readonly Systeminformation.FsSizeData[]>;
  networkStats(interfaces: string): Promise<readonly Systeminformation.NetworkStatsData[]>;
  cpus(): readonly CpuInfo[];
  loadavg(): readonly number[] | undefined;
  networkInterfaces(): NodeJS.Dict<NetworkInterfaceInfo[]>;
}

const MILLISECONDS_IN_TICK = 10;

function ticksOf(cpus: readonly CpuInfo[]): CpuTicks | undefined {
  if (cpus.length === 0) return undefined;
  const ticks = (kind: keyof CpuInfo['times']): bigint =>
    BigInt(Math.round(cpus.reduce((sum, { times }) => sum + times[kind], 0) / MILLISECONDS_IN_TICK));
  return {
    user: ticks('user'),
    nice: ticks('nice'),
    system: ticks('sys'),
    idle: ticks('idle'),
    interrupt: ticks('irq'),
  };
}

/** All zeros is also what systeminformation says of an interface that it could not read. */
function isAnswered({ rx_bytes, tx_bytes, tx_errors }: Systeminformation.NetworkStatsData): boolean {
  return [rx_bytes, tx_bytes, tx_errors].every(Number.isSafeInteger) && rx_bytes + tx_bytes > 0;
}

export function createPortableMachine(sources: PortableSources): Machine {
  async function fileSystems(): Promise<readonly FileSystem[]> {
    const all = await sources.fsSize();
    return all
      .filter(({ fs, size }) => fs.startsWith('/dev/') && size > 0)
      .map(({ fs, mount, type, size, used }) => ({
        device: fs,
        path: mount,
        type,
        total: BigInt(size),
        used: BigInt(used),
      }));
  }

  async function interfaces(): Promise<readonly NetworkInterface[]> {
    const known = sources.networkInterfaces();
    const names = Object.keys(known).filter((name) => isHostInterface(name));
    if (names.length === 0) return [];
    const stats = await sources.networkStats(names.join(','));
    return stats.filter(isAnswered).map(({ iface, rx_bytes, tx_bytes, tx_errors }) => {
      const mac = known[iface]?.[0]?.mac;
      const ip = addressOf(known[iface]);
      return {
        name: iface,
        incomingBytes: BigInt(rx_bytes),
        outgoingBytes: BigInt(tx_bytes),
        outgoingErrors: BigInt(tx_errors),
        ...(mac !== undefined && { mac }),
        ...(ip !== undefined && { ip }),
      };
    });
  }

  return {
    loadAverages: async () => sources.loadavg(),
    cpu: async () => ticksOf(sources.cpus()),
    memory: singleFlight(async () => memoryOf(await sources.mem())),
    fileSystems: singleFlight(fileSystems),
    disks: async () => [],
    interfaces: singleFlight(interfaces),
    ip: async () => undefined,
    blocks: async () => undefined,
  };
}
