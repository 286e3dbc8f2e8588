/** How the processors spent the time between two reads. */
import type { CpuTicks } from './machine.ts';

/** Per cent of the time that all processors had. */
export interface CpuShares {
  /** Everything but idling and waiting for disks, a hypervisor's theft included. */
  readonly busy: number;
  readonly idle: number;
}

/** Undefined where no time went by, or where the counters began anew. */
export function sharesBetween(before: CpuTicks, after: CpuTicks): CpuShares | undefined {
  const spent = (kind: keyof CpuTicks): number => Number((after[kind] ?? 0n) - (before[kind] ?? 0n));
  if (spent('user') < 0 || spent('system') < 0 || spent('idle') < 0) return undefined;
  // The kernel lets this one step back a little when a processor goes off line.
  const wait = Math.max(0, spent('wait'));
  const work = (['user', 'nice', 'system', 'interrupt', 'softInterrupt', 'steal'] as const)
    .map((kind) => Math.max(0, spent(kind)))
    .reduce((sum, ticks) => sum + ticks, 0);
  const total = work + wait + spent('idle');
  // Of counts beyond 2^46 rounding would make a little more of all.
  const share = (part: number) => Math.min(100, (100 * part) / total);
  return total === 0 ? undefined : { busy: share(work), idle: share(spent('idle')) };
}

/**
 * Remembers each polling source's last read, so that sources with different intervals do not cut each other's short.
 */
export function createShareTracker() {
  const last = new Map<string, CpuTicks>();
  return (source: string, ticks: CpuTicks): CpuShares | undefined => {
    const before = last.get(source);
    last.set(source, ticks);
    return before === undefined ? undefined : sharesBetween(before, ticks);
  };
}
