/** Where each parameter of libvirt's bulk statistics goes. */
import type { DiskStats, DomainStats, NicStats, VcpuStats } from './inspector.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface MutableStats extends Mutable<Omit<DomainStats, 'vcpus' | 'balloon' | 'nics' | 'disks' | 'perf'>> {
  readonly vcpus: (Mutable<VcpuStats> | undefined)[];
  readonly balloon: Record<string, bigint>;
  /** By libvirt's index, which has holes: an interface without a device on the host is not reported. */
  readonly nics: (Mutable<NicStats> | undefined)[];
  readonly disks: (Mutable<DiskStats> | undefined)[];
  readonly perf: Record<string, bigint>;
}

/** The finished record. */
export function finishStats(stats: MutableStats): DomainStats {
  return { ...stats, nics: dense(stats.nics), disks: dense(stats.disks) };
}

function dense<T>(list: readonly (T | undefined)[]): readonly T[] {
  return list.filter((item) => item !== undefined);
}

export function newStats(monotonicTime: number): MutableStats {
  return { vcpus: [], balloon: {}, nics: [], disks: [], perf: {}, monotonicTime };
}

export interface FieldSetter {
  readonly number?: (stats: MutableStats, value: bigint) => void;
  readonly text?: (stats: MutableStats, value: string) => void;
}

/** More vCPUs, disks or interfaces than this no domain has; a larger index is garbage and must not make an array. */
const INDEX_MAX = 16_384;
/** The names come again in every reply, so what they mean is kept; a server that makes up names gets no memory. */
const CACHE_MAX = 20_000;

const nicFields: Readonly<Record<string, Exclude<keyof NicStats, 'name'>>> = {
  'rx.bytes': 'rxBytes',
  'rx.pkts': 'rxPackets',
  'rx.errs': 'rxErrors',
  'rx.drop': 'rxDrop',
  'tx.bytes': 'txBytes',
  'tx.pkts': 'txPackets',
  'tx.errs': 'txErrors',
  'tx.drop': 'txDrop',
};

const diskFields: Readonly<Record<string, Exclude<keyof DiskStats, 'name'>>> = {
  'rd.reqs': 'readRequests',
  'rd.bytes': 'readBytes',
  'rd.times': 'readTimes',
  'wr.reqs': 'writeRequests',
  'wr.bytes': 'writeBytes',
  'wr.times': 'writeTimes',
  allocation: 'allocation',
  capacity: 'capacity',
  physical: 'physical',
};

const single: Readonly<Record<string, FieldSetter>> = {
  'state.state': number((stats, value) => {
    stats.state = Number(value);
  }),
  'state.reason': number((stats, value) => {
    stats.reason = Number(value);
  }),
  'cpu.time': number((stats, value) => {
    stats.cpuTime = value;
  }),
  'vcpu.current': number((stats, value) => {
    stats.vcpuCurrent = Number(value);
  }),
  'vcpu.maximum': number((stats, value) => {
    stats.vcpuMaximum = Number(value);
  }),
};

const cache = new Map<string, FieldSetter | undefined>();

/** What to do with a parameter of this name; undefined when nobody needs it. */
export function fieldSetter(name: string): FieldSetter | undefined {
  const known = cache.get(name);
  if (known !== undefined || cache.has(name)) return known;
  const setter = own(single, name) ?? groupSetter(name);
  if (cache.size < CACHE_MAX) cache.set(name, setter);
  return setter;
}

function groupSetter(name: string): FieldSetter | undefined {
  const dot = name.indexOf('.');
  const group = name.slice(0, dot);
  const rest = name.slice(dot + 1);
  switch (group) {
    case 'balloon':
    case 'perf':
      if (rest === '__proto__') return undefined;
      return number((stats, value) => {
        stats[group][rest] = value;
      });
    case 'vcpu':
      return indexed(rest, vcpuSetter);
    case 'net':
      return indexed(rest, nicSetter);
    case 'block':
      return indexed(rest, diskSetter);
    default:
      return undefined;
  }
}

function number(set: (stats: MutableStats, value: bigint) => void): FieldSetter {
  return { number: set };
}

/** `3.rd.bytes` as index 3 and field `rd.bytes`. */
function indexed(
  rest: string,
  make: (index: number, field: string) => FieldSetter | undefined,
): FieldSetter | undefined {
  const [, digits = '', field = ''] = /^(\d{1,5})\.(.+)$/.exec(rest) ?? [];
  const index = Number(digits);
  return digits === '' || index >= INDEX_MAX ? undefined : make(index, field);
}

function vcpuSetter(index: number, field: string): FieldSetter | undefined {
  if (field !== 'time' && field !== 'wait') return undefined;
  return number((stats, value) => {
    stats.vcpus[index] ??= {};
    stats.vcpus[index][field] = value;
  });
}

function nicSetter(index: number, field: string): FieldSetter | undefined {
  if (field === 'name') {
    return {
      text(stats, value) {
        nic(stats, index).name = value;
      },
    };
  }
  const key = own(nicFields, field);
  if (key === undefined) return undefined;
  return number((stats, value) => {
    nic(stats, index)[key] = value;
  });
}

function diskSetter(index: number, field: string): FieldSetter | undefined {
  if (field === 'name') {
    return {
      text(stats, value) {
        disk(stats, index).name = value;
      },
    };
  }
  const key = own(diskFields, field);
  if (key === undefined) return undefined;
  return number((stats, value) => {
    disk(stats, index)[key] = value;
  });
}

function nic(stats: MutableStats, index: number): Mutable<NicStats> {
  stats.nics[index] ??= {};
  return stats.nics[index];
}

function disk(stats: MutableStats, index: number): Mutable<DiskStats> {
  stats.disks[index] ??= {};
  return stats.disks[index];
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
