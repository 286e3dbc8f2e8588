/** What the pollsters need to know of a domain's devices, from its XML. */
import { attribute, type Element, find, findAll } from './xml.ts';

export interface Nic {
  /** The device on the host, by which libvirt counts. */
  readonly tap: string;
  readonly mac: string;
  /** Tells this NIC from the instance's others, also over a change of its tap. */
  readonly key: string;
  /** The name of its network filter. */
  readonly fref: string | null;
  readonly parameters: Readonly<Record<string, string | null>>;
  /** libvirt makes the tap with each boot, so that its counters start at zero. */
  readonly freshPerBoot: boolean;
}

export interface Devices {
  /** Names in the guest of the disks that have a source; an empty CD-ROM drive has none. */
  readonly disks: readonly string[];
  /** Those with a MAC address and a device on the host. */
  readonly nics: readonly Nic[];
  /** There is a memory balloon, so that libvirt knows what the guest has of its memory. */
  readonly balloon: boolean;
}

/** Types whose device on the host libvirt makes at each start; what others use may outlive the domain. */
const FRESH_TYPES: ReadonlySet<string | undefined> = new Set(['bridge', 'network', 'direct']);

export function readDevices(domain: Element): Devices {
  const model = attribute(find(domain, 'devices/memballoon'), 'model');
  return {
    disks: findAll(domain, 'devices/disk')
      .filter((disk) => find(disk, 'source') !== undefined)
      .flatMap(diskNames),
    nics: readNics(domain),
    balloon: model !== undefined && model !== 'none',
  };
}

function diskNames(disk: Element): string[] {
  return findAll(disk, 'target').flatMap((target) => attribute(target, 'dev') || []);
}

function readNics(domain: Element): Nic[] {
  const nics: Nic[] = [];
  const macs = new Map<string, number>();
  for (const element of findAll(domain, 'devices/interface')) {
    const tap = attribute(find(element, 'target'), 'dev');
    const mac = attribute(find(element, 'mac'), 'address');
    if (tap === undefined || mac === undefined) continue;
    const sameMac = macs.get(mac) ?? 0;
    macs.set(mac, sameMac + 1);
    nics.push({
      tap,
      mac,
      key: sameMac === 0 ? mac : `${mac}#${sameMac}`,
      fref: attribute(find(element, 'filterref'), 'filter') ?? null,
      parameters: readParameters(element),
      freshPerBoot: FRESH_TYPES.has(attribute(element, 'type')),
    });
  }
  return nics;
}

function readParameters(nic: Element): Readonly<Record<string, string | null>> {
  const parameters = findAll(nic, 'filterref/parameter').map((parameter): [string, string | null] => [
    (attribute(parameter, 'name') ?? '').toLowerCase(),
    attribute(parameter, 'value') ?? null,
  ]);
  const port = find(nic, 'virtualport');
  const interfaceId = port && attribute(find(port, 'parameters'), 'interfaceid');
  const bridge = attribute(find(nic, 'source'), 'bridge');
  return Object.fromEntries([...parameters, ['interfaceid', interfaceId ?? null], ['bridge', bridge ?? null]]);
}
