/** Readers of the kernel's own tables. All are pure: text in, numbers out; what a line lacks is absent. */
import { disksAmong, isHostInterface, isLocalFileSystem } from './devices.ts';
import type { BlockCounters, CpuTicks, Disk, IpCounters, NetworkInterface } from './machine.ts';

const SECTOR_BYTES = 512n;

function counter(field: string | undefined): bigint | undefined {
  return field !== undefined && /^\d+$/.test(field) ? BigInt(field) : undefined;
}

function fieldsOf(line: string): string[] {
  return line.trim().split(/\s+/);
}

/** `/proc/stat` */
export function cpuTicks(text: string): CpuTicks | undefined {
  const line = /^cpu +(.*)$/m.exec(text)?.[1] ?? '';
  const [user, nice, system, idle, wait, interrupt, softInterrupt, steal] = fieldsOf(line).map(counter);
  if (user === undefined || nice === undefined || system === undefined || idle === undefined) return undefined;
  return {
    user,
    nice,
    system,
    idle,
    ...(wait !== undefined && { wait }),
    ...(interrupt !== undefined && { interrupt }),
    ...(softInterrupt !== undefined && { softInterrupt }),
    ...(steal !== undefined && { steal }),
  };
}

/** `/proc/diskstats` */
export function disks(text: string): Disk[] {
  const lines = text.split('\n').map(fieldsOf);
  const wanted = disksAmong(lines.flatMap(([, , device]) => (device === undefined ? [] : [device])));
  return lines.flatMap(([, , device = '', ...fields]) => {
    if (!wanted.has(device)) return [];
    const [readRequests, , readSectors, , writeRequests, , writeSectors] = fields.map(counter);
    if (readRequests === undefined || readSectors === undefined) return [];
    if (writeRequests === undefined || writeSectors === undefined) return [];
    const readBytes = readSectors * SECTOR_BYTES;
    return [{ device, readRequests, readBytes, writeRequests, writeBytes: writeSectors * SECTOR_BYTES }];
  });
}

/** `/proc/net/dev`. Names are checked first: on a hypervisor nearly all lines are guests'. */
export function interfaces(text: string): NetworkInterface[] {
  return text.split('\n').flatMap((line) => {
    // The kernel writes no blank between the colon and a counter that fills its column.
    const colon = line.lastIndexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon === -1 || !isHostInterface(name)) return [];
    const fields = fieldsOf(line.slice(colon + 1));
    const incomingBytes = counter(fields[0]);
    const outgoingBytes = counter(fields[8]);
    const outgoingErrors = counter(fields[10]);
    if (incomingBytes === undefined || outgoingBytes === undefined || outgoingErrors === undefined) return [];
    return [{ name, incomingBytes, outgoingBytes, outgoingErrors }];
  });
}

/** `/proc/net/snmp` */
export function ipCounters(text: string): IpCounters | undefined {
  const [names, values] = text.split('\n').filter((line) => line.startsWith('Ip: '));
  if (names === undefined || values === undefined) return undefined;
  const titles = fieldsOf(names);
  const fields = fieldsOf(values);
  const incoming = counter(fields[titles.indexOf('InReceives')]);
  const outgoing = counter(fields[titles.indexOf('OutRequests')]);
  return incoming === undefined || outgoing === undefined ? undefined : { incoming, outgoing };
}

/** `/proc/vmstat`, which counts in KiB. */
export function blockCounters(text: string): BlockCounters | undefined {
  const incoming = counter(/^pgpgin (.*)$/m.exec(text)?.[1]);
  const outgoing = counter(/^pgpgout (.*)$/m.exec(text)?.[1]);
  return incoming === undefined || outgoing === undefined
    ? undefined
    : { incoming: incoming * 2n, outgoing: outgoing * 2n };
}

export interface Mount {
  readonly device: string;
  readonly path: string;
  readonly type: string;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * `/proc/self/mountinfo`: each local file system once. Of its mounts the one that shows it from its root on, then the
 * shortest path; a mount on top of another hides that one.
 */
export function localMounts(text: string): Mount[] {
  const visible = new Map<string, { readonly mount: Mount; readonly root: string }>();
  for (const line of text.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root, path] = left.split(' ').map(unescapeOctal);
    const [type, source] = right.split(' ').map(unescapeOctal);
    if (root === undefined || path === undefined || type === undefined || source === undefined) continue;
    // Files of another file system that a container was given: hosts, resolv.conf, termination-log.
    if (root !== '/' && /^\/(?:etc|dev)\//.test(path)) continue;
    visible.set(path, { mount: { device: source, path, type }, root });
  }
  const byDevice = new Map<string, Mount>();
  const best = [...visible.values()].sort(
    (a, b) => a.root.length - b.root.length || a.mount.path.length - b.mount.path.length,
  );
  for (const { mount } of best) {
    if (!isLocalFileSystem(mount.device, mount.type, mount.path)) continue;
    if (!byDevice.has(mount.device)) byDevice.set(mount.device, mount);
  }
  return [...byDevice.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
