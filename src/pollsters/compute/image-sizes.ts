/** Asks what disk images occupy, for those disks only whose bulk statistics have changed. */
import type { BlockInfo, DiskRef, DiskStats, Domain, DomainStats, VirtInspector } from '../../libvirt/inspector.ts';
import { SHUT_OFF } from './domain-state.ts';
import type { Instance } from './instance.ts';

export type ImageSizes = (
  instances: readonly Instance[],
  stats: ReadonlyMap<string, DomainStats>,
  signal: AbortSignal,
  /** False to take what is known still, and not ask. */
  ask?: boolean,
) => Promise<ReadonlyMap<string, ReadonlyMap<string, BlockInfo>>>;

interface Known {
  readonly said: DiskStats;
  readonly info: BlockInfo;
}

/**
 * The bulk statistics have other numbers under the same names: where they give what a file occupies, upstream sends
 * the file's size, say. But whatever changes the ones changes the others too.
 */
export function createImageSizes(inspector: VirtInspector, withStopped: boolean): ImageSizes {
  const known = new WeakMap<Domain, Map<string, Known>>();

  return async (instances, stats, signal, ask = true) => {
    const sizes = new Map<string, Map<string, BlockInfo>>();
    const wanted = new Map<DiskRef, DiskStats>();
    for (const { id, domain, devices } of instances) {
      const said = stats.get(id);
      if (said === undefined || (said.state === SHUT_OFF && !withStopped)) continue;
      const infos = new Map<string, BlockInfo>();
      sizes.set(id, infos);
      for (const device of devices.disks) {
        const disk = said.disks.find(({ name }) => name === device);
        if (disk === undefined || !saysSizes(disk)) continue;
        const before = known.get(domain)?.get(device);
        if (before !== undefined && sameSizes(before.said, disk)) infos.set(device, before.info);
        else wanted.set({ domain, device }, disk);
      }
    }
    if (wanted.size === 0 || !ask) return sizes;
    for (const [ref, info] of await inspector.blockInfo([...wanted.keys()], signal)) {
      const said = wanted.get(ref);
      if (said === undefined) continue;
      const { domain, device } = ref;
      sizes.get(domain.uuid)?.set(device, info);
      const disks = known.get(domain) ?? new Map<string, Known>();
      known.set(domain, disks.set(device, { said, info }));
    }
    return sizes;
  };
}

/** A busy domain's do not: asking more of it would only wait. */
function saysSizes({ capacity, allocation, physical }: DiskStats): boolean {
  return capacity !== undefined || allocation !== undefined || physical !== undefined;
}

function sameSizes(a: DiskStats, b: DiskStats): boolean {
  return a.capacity === b.capacity && a.allocation === b.allocation && a.physical === b.physical;
}
