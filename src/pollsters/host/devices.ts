/** Which of the things that the kernel lists are this machine's own hardware. */

/**
 * Loopback, and the host's ends of guests' and containers' interfaces by the names that libvirt, Nova, Neutron,
 * Docker, Calico, Cilium, LXC and Proxmox give them. Guests have their own meters in the compute namespace, and a
 * hypervisor has thousands of these.
 */
const GUEST_INTERFACE = /^(?:lo\d*$|tap|vnet\d|macvtap\d|veth|qbr|qvb|qvo|cali|lxc|fwbr|fwpr|fwln|ifb\d|ovs-system$)/;

export function isHostInterface(name: string): boolean {
  return !GUEST_INTERFACE.test(name);
}

/** Memory, loop-backs and removable media, and what is stacked on other disks: its traffic is counted there already. */
const OTHER_BLOCK_DEVICE = /^(?:loop|ram|zram|fd|sr|dm-|md)\d/;

/** The disks among the block devices: no partitions, which follow their disk as `sda1` or `nvme0n1p1`. */
export function disksAmong(devices: readonly string[]): ReadonlySet<string> {
  const all = new Set(devices);
  return new Set(devices.filter((device) => !OTHER_BLOCK_DEVICE.test(device) && !isPartition(device, all)));
}

function isPartition(device: string, all: ReadonlySet<string>): boolean {
  const stem = device.replace(/\d+$/, '');
  if (stem === device) return false;
  const disk = /\dp$/.test(stem) ? stem.slice(0, -1) : stem;
  return all.has(disk);
}

/** Read-only images, and drivers in user space, where asking for the size may wait for ever. */
const OTHER_FILE_SYSTEM = /^(?:squashfs|erofs|cramfs|romfs|iso9660|udf|fuse.*)$/;

/** Whether a mounted file system takes up space on disks of this machine. */
export function isLocalFileSystem(source: string, type: string, path: string): boolean {
  if (OTHER_FILE_SYSTEM.test(type)) return false;
  // A container's own root; further overlays are the containers of this machine, on disks that are counted already.
  if (type === 'overlay') return path === '/';
  if (type === 'zfs' || type === 'bcachefs') return true;
  return source.startsWith('/dev/') && !source.startsWith('/dev/loop');
}
