/**
 * This machine as Linux shows it. Memory comes from systeminformation. The rest is read from the kernel's tables
 * directly, for there systeminformation starts a shell and seven programs for each interface and `df`, which waits for
 * a dead network mount, counts guests' CPU time twice, has no counters by disk, and answers 0 for what it cannot read.
 */
import type { Systeminformation } from 'systeminformation';
import { describeError } from '../../errors.ts';
import type { Logger } from '../../plugin.ts';
import { singleFlight } from '../../util/single-flight.ts';
import { createInterfaceFacts, type FactSources } from './interface-facts.ts';
import type { FileSystem, Machine, NetworkInterface } from './machine.ts';
import { memoryOf } from './memory.ts';
import * as proc from './proc.ts';

export interface LinuxSources extends FactSources {
  /** The text of a file under `/proc`, undefined where there is none. These never wait for a device. */
  readProc(path: string): string | undefined;
  statfs(path: string): Promise<{ readonly bsize: bigint; readonly blocks: bigint; readonly bfree: bigint }>;
  mem(): Promise<Systeminformation.MemData>;
  loadavg(): readonly number[];
}

export function createLinuxMachine(sources: LinuxSources, log: Logger): Machine {
  const factsOf = createInterfaceFacts(sources);
  let unreadable: ReadonlySet<string> = new Set();

  const parse = <T>(path: string, parser: (text: string) => T): T | undefined => {
    const text = sources.readProc(path);
    return text === undefined ? undefined : parser(text);
  };

  async function fileSystems(): Promise<readonly FileSystem[]> {
    const failed = new Set<string>();
    const sizeOf = async ({ device, path, type }: proc.Mount): Promise<readonly FileSystem[]> => {
      try {
        const { bsize, blocks, bfree } = await sources.statfs(path);
        return blocks === 0n ? [] : [{ device, path, type, total: blocks * bsize, used: (blocks - bfree) * bsize }];
      } catch (error) {
        failed.add(path);
        if (!unreadable.has(path)) log.warn({ path, reason: describeError(error) }, 'a file system is left out');
        return [];
      }
    };
    const mounts = parse('/proc/self/mountinfo', proc.localMounts) ?? [];
    const found = await Promise.all(mounts.map(sizeOf));
    unreadable = failed;
    return found.flat();
  }

  async function interfaces(): Promise<readonly NetworkInterface[]> {
    const counters = parse('/proc/net/dev', proc.interfaces) ?? [];
    const facts = await factsOf(counters.map(({ name }) => name));
    return counters.map((counter) => ({ ...counter, ...facts.get(counter.name) }));
  }

  return {
    loadAverages: async () => sources.loadavg(),
    cpu: async () => parse('/proc/stat', proc.cpuTicks),
    memory: singleFlight(async () => memoryOf(await sources.mem())),
    fileSystems: singleFlight(fileSystems),
    disks: async () => parse('/proc/diskstats', proc.disks) ?? [],
    interfaces: singleFlight(interfaces),
    ip: async () => parse('/proc/net/snmp', proc.ipCounters),
    blocks: async () => parse('/proc/vmstat', proc.blockCounters),
  };
}
