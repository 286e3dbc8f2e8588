import type { DomainStats } from './inspector.ts';

/**
 * Nanoseconds that the vCPUs ran and waited for a CPU; undefined where libvirt did not tell both for each of the
 * present ones.
 */
export function vcpuTime({
  vcpuCurrent,
  vcpuMaximum = 0,
  vcpus,
}: Pick<DomainStats, 'vcpuCurrent' | 'vcpuMaximum' | 'vcpus'>): bigint | undefined {
  let nanoseconds = 0n;
  let counted = 0;
  for (const vcpu of vcpus.slice(0, vcpuMaximum)) {
    if (vcpu?.time === undefined || vcpu.wait === undefined) continue;
    nanoseconds += vcpu.time + vcpu.wait;
    counted++;
  }
  return counted > 0 && counted === vcpuCurrent ? nanoseconds : undefined;
}
