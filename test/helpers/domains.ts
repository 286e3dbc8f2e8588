/** Tiny QEMU domains that look like Nova's, for a libvirtd of our own. Their guests halt, so they use no CPU. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forEachLimit } from '../../src/util/map-limit.ts';
import type { Libvirtd } from './libvirtd.ts';

const run = promisify(execFile);

export interface DomainOptions {
  /** libvirt's name, `instance-00000001`. The UUID follows from it. */
  readonly name: string;
  /** Nova's name of the instance; false for a domain without Nova's metadata. */
  readonly displayName?: string | false;
  readonly metadata?: NovaMetadata;
  readonly vcpus?: number;
  /** vCPUs that could be plugged in. */
  readonly maxVcpus?: number;
  /** MiB. */
  readonly memory?: number;
  readonly disks?: readonly DiskKind[];
  readonly nics?: readonly NicKind[];
  /** Period of the balloon's statistics in seconds, 0 for none; false for a domain without a balloon. */
  readonly balloon?: number | false;
  readonly state?: 'running' | 'paused' | 'shut off';
  /** A transient domain is gone when it stops. */
  readonly transient?: boolean;
}

interface NovaMetadata {
  readonly version?: '1.0' | '1.1';
  readonly owner?: false;
  readonly image?: string | false;
  readonly flavor?: {
    readonly name?: string;
    readonly id?: string | false;
    readonly memory?: number;
    readonly disk?: number;
    readonly swap?: number;
    readonly ephemeral?: number;
    readonly vcpus?: number;
    readonly extraSpecs?: Readonly<Record<string, string>> | false;
  };
}

export type DiskKind = 'overlay' | 'qcow2' | 'raw' | 'empty-cdrom';
/** A `sink` is on the bridge, too, and takes what comes without a driver in the guest: its counters grow. */
type NicKind = 'bridge' | 'user' | 'sink';

/**
 * A boot sector that writes 8 sectors to each of the first two disks, reads them back from the second, and halts, so
 * that the counters of the disks are not zero.
 */
const bootSector = Buffer.alloc(512);
Buffer.from(
  '31c08ed88ed0bc007cfbb280e80e00b281e80900b281e80d00faf4ebfdbe307cb80043cd13c3be307cb80042cd13c39010000800008000004000000000000000',
  'hex',
).copy(bootSector);
bootSector.writeUInt16LE(0xaa55, 510);

const MIB = 1024 * 1024;

/** A name-based UUID, so that two runs make the same domains. */
function uuidOf(...words: readonly string[]): string {
  const hex = createHash('sha1').update(words.join('/')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function domainUuid(name: string): string {
  return uuidOf('domain', name);
}

/** `instance-00000001` and on, with two disks and two interfaces each. */
export function plainDomains(count: number): readonly DomainOptions[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `instance-${(index + 1).toString(16).padStart(8, '0')}`,
    displayName: `vm-${index + 1}`,
  }));
}

/** Makes the disks, then defines and starts the domains, two at once. */
export async function createDomains(libvirtd: Libvirtd, domains: readonly DomainOptions[]): Promise<void> {
  const base = await baseImage(libvirtd.folder);
  const failures: unknown[] = [];
  await forEachLimit(domains, 2, async (domain) => {
    await createDomain(libvirtd, base, domain).catch((error: unknown) => failures.push(error));
  });
  if (failures.length > 0) throw failures[0];
}

/** Only defines the domain, or defines it again. */
export async function defineDomain(libvirtd: Libvirtd, domain: DomainOptions): Promise<void> {
  const base = await baseImage(libvirtd.folder);
  await makeDisks(libvirtd.folder, base, domain);
  await libvirtd.virsh(['define', await xmlFile(libvirtd.folder, domain)]);
}

async function createDomain(libvirtd: Libvirtd, base: string, domain: DomainOptions): Promise<void> {
  await makeDisks(libvirtd.folder, base, domain);
  const file = await xmlFile(libvirtd.folder, domain);
  if (domain.transient === true) return void (await libvirtd.virsh(['create', file]));
  const commands = [['define', file]];
  if (domain.state !== 'shut off') commands.push(['start', domain.name]);
  if (domain.state === 'paused') commands.push(['suspend', domain.name]);
  await libvirtd.virsh(...commands);
}

async function xmlFile(folder: string, domain: DomainOptions): Promise<string> {
  const file = join(folder, `disks/${encodeURIComponent(domain.name)}.xml`);
  await writeFile(file, domainXml(folder, domain));
  return file;
}

async function baseImage(folder: string): Promise<string> {
  const path = join(folder, 'disks/base.raw');
  await access(path).catch(async () => {
    await writeFile(path, bootSector);
    await truncate(path, 64 * MIB);
  });
  return path;
}

const defaultDisks: readonly DiskKind[] = ['overlay', 'raw'];
const defaultNics: readonly NicKind[] = ['bridge', 'bridge'];

async function makeDisks(folder: string, base: string, { name, disks = defaultDisks }: DomainOptions): Promise<void> {
  for (const [index, kind] of disks.entries()) await makeDisk(diskPath(folder, name, index), kind, base);
}

export function diskPath(folder: string, name: string, index: number): string {
  return join(folder, `disks/${encodeURIComponent(name)}.${index}`);
}

export async function makeDisk(path: string, kind: DiskKind, base = ''): Promise<void> {
  if (kind === 'overlay') await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, path]);
  if (kind === 'qcow2') await run('qemu-img', ['create', '-q', '-f', 'qcow2', path, '32M']);
  if (kind === 'raw') {
    await writeFile(path, '');
    await truncate(path, 32 * MIB);
  }
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function domainXml(folder: string, domain: DomainOptions): string {
  const { name, vcpus = 1, memory = 32, disks = defaultDisks, nics = defaultNics } = domain;
  const uuid = domainUuid(name);
  return `<domain type='qemu'>
<name>${escapeXml(name)}</name><uuid>${uuid}</uuid>
<metadata>${domain.displayName === false ? '' : novaMetadata(domain)}</metadata>
<memory unit='MiB'>${memory}</memory>
<vcpu placement='static' current='${vcpus}'>${domain.maxVcpus ?? vcpus}</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
<features><acpi/><apic/><tcg><tb-cache unit='MiB'>16</tb-cache></tcg></features>
<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
${disks.map((kind, index) => diskXml(folder, name, index, kind)).join('\n')}
<controller type='usb' model='none'/>
${nics.map((kind, index) => nicXml(name, index, kind)).join('\n')}
${balloonXml(domain.balloon ?? 10)}
</devices></domain>`;
}

function diskXml(folder: string, name: string, index: number, kind: DiskKind): string {
  const letter = String.fromCharCode('a'.charCodeAt(0) + index);
  if (kind === 'empty-cdrom') {
    return `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='hd${letter}' bus='ide'/><readonly/></disk>`;
  }
  const format = kind === 'raw' ? 'raw' : 'qcow2';
  return `<disk type='file' device='disk'><driver name='qemu' type='${format}' cache='writeback'/>
<source file='${diskPath(folder, name, index)}'/><target dev='vd${letter}' bus='virtio'/></disk>`;
}

/** The name of an interface's device on the host, as Neutron and Nova choose it. */
export function tapName(name: string, index: number): string {
  return `tap${uuidOf('port', name, String(index)).slice(0, 11)}`;
}

export function macAddress(name: string, index: number): string {
  const [a, b, c] = createHash('sha1').update(`${name}/${index}`).digest();
  return ['fa', '16', '3e', ...[a, b, c].map((byte) => (byte ?? 0).toString(16).padStart(2, '0'))].join(':');
}

function nicXml(name: string, index: number, kind: NicKind): string {
  const model = kind === 'sink' ? 'ne2k_pci' : 'virtio';
  const mac = `<mac address='${macAddress(name, index)}'/><model type='${model}'/><rom enabled='no'/>`;
  if (kind === 'user') return `<interface type='user'>${mac}</interface>`;
  return `<interface type='bridge'>${mac}<source bridge='br0'/><target dev='${tapName(name, index)}'/></interface>`;
}

function balloonXml(balloon: number | false): string {
  if (balloon === false) return "<memballoon model='none'/>";
  if (balloon === 0) return "<memballoon model='virtio'/>";
  return `<memballoon model='virtio'><stats period='${balloon}'/></memballoon>`;
}

const PROJECT = 'd99c829753f64057bc0f2030da309943';
const USER = 'a1f4684e58bd4c88aefd2ecb0783b497';
const IMAGE = 'bdaf114a-35e9-4163-accd-226d5944bf11';

function novaMetadata({ name, displayName, metadata = {} }: DomainOptions): string {
  const { version = '1.1', flavor = {}, image = IMAGE } = metadata;
  const flavorId = flavor.id === false ? '' : ` id="${escapeXml(flavor.id ?? 'eba4213d-3c6c-4b5f-8158-dd0022d71d62')}"`;
  const specs = Object.entries(flavor.extraSpecs || {});
  const extraSpecs = specs.map(
    ([key, value]) => `<nova:extraSpec name="${escapeXml(key)}">${escapeXml(value)}</nova:extraSpec>`,
  );
  return `<nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/${version}">
<nova:package version="32.1.0"/>
<nova:name>${escapeXml(displayName || name)}</nova:name>
<nova:creationTime>2026-07-01 10:00:00</nova:creationTime>
<nova:flavor name="${escapeXml(flavor.name ?? 'm1.tiny')}"${flavorId}>
<nova:memory>${flavor.memory ?? 32}</nova:memory><nova:disk>${flavor.disk ?? 1}</nova:disk>
<nova:swap>${flavor.swap ?? 0}</nova:swap><nova:ephemeral>${flavor.ephemeral ?? 0}</nova:ephemeral>
<nova:vcpus>${flavor.vcpus ?? 1}</nova:vcpus>
${flavor.extraSpecs === false ? '' : `<nova:extraSpecs>${extraSpecs.join('')}</nova:extraSpecs>`}
</nova:flavor>
${image === false ? '' : `<nova:image uuid="${image}"><nova:containerFormat>bare</nova:containerFormat><nova:diskFormat>qcow2</nova:diskFormat><nova:minDisk>1</nova:minDisk><nova:minRam>0</nova:minRam><nova:properties><nova:property name="os_distro">debian</nova:property></nova:properties></nova:image>`}
${metadata.owner === false ? '' : `<nova:owner><nova:user uuid="${USER}">alice</nova:user><nova:project uuid="${PROJECT}">demo</nova:project></nova:owner>`}
${image === false ? '' : `<nova:root type="image" uuid="${image}"/>`}
</nova:instance>`;
}
