import type { DomainStats } from '../../libvirt/inspector.ts';
import { vcpuTime } from '../../libvirt/vcpu-time.ts';
import type { Table } from './domain-pollsters.ts';
import type { InstanceSaid } from './families.ts';

/** Over more than two hours without the agent, an average says little. */
const REMEMBERED = 2 * 3600;

interface CpuTime {
  readonly nanoseconds: bigint;
  /** Which of libvirt's counters these are: the two are far apart. */
  readonly from: 'vcpus' | 'domain';
}

/**
 * As upstream: what the vCPUs ran and waited for a CPU; when libvirt did not tell both for each of the present ones,
 * what the whole domain used. Upstream sends 0 for a hypervisor that tells of no vCPUs, which is no value.
 */
export function cpuTime(stats: DomainStats): CpuTime | undefined {
  const nanoseconds = vcpuTime(stats);
  if (nanoseconds !== undefined) return { nanoseconds, from: 'vcpus' };
  return stats.cpuTime === undefined ? undefined : { nanoseconds: stats.cpuTime, from: 'domain' };
}

export const cpu: Table<InstanceSaid> = {
  cpu: {
    type: 'cumulative',
    unit: 'ns',
    help: 'Time that the vCPUs ran and waited for a CPU: the sum of vcpu.N.time and vcpu.N.wait, else cpu.time.',
    // Only which counter it comes from, and that not over a restart.
    remembers: 0,
    read({ instance, stats }, history) {
      const time = cpuTime(stats);
      if (time === undefined) return undefined;
      const reading = { counter: time.from, life: instance.domain.id, at: stats.monotonicTime };
      return history.accepts(reading) ? time.nanoseconds : undefined;
    },
  },
  /** Upstream dropped it in 2018. The share of its vCPUs that an instance used since the poll before. */
  cpu_util: {
    type: 'gauge',
    unit: '%',
    float: true,
    help: 'Share of its vCPUs that the instance used since the poll before; none at the first poll of a boot.',
    remembers: REMEMBERED,
    read({ instance, stats }, history) {
      const time = cpuTime(stats);
      if (time === undefined || !stats.vcpuCurrent) return undefined;
      const life = `${instance.domain.id}/${time.from}`;
      const now = { value: time.nanoseconds, at: stats.monotonicTime, life };
      const before = history.swap('cpu', now);
      if (before?.life !== life || now.at <= before.at || now.value < before.value) return undefined;
      const used = Number(now.value - before.value) / 1e9;
      return Math.min(100, (100 * used) / (now.at - before.at) / stats.vcpuCurrent);
    },
  },
};

export const vcpus: Table<InstanceSaid> = {
  vcpus: {
    type: 'gauge',
    unit: 'vcpu',
    help: 'vCPUs that are plugged in (vcpu.current).',
    stopped: 'reported',
    read: ({ stats }) => stats.vcpuCurrent,
  },
};
