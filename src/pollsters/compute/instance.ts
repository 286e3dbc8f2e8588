/** A Nova instance of this host, as the discovery hands it to the pollsters. */
import { AgentError } from '../../errors.ts';
import type { Domain } from '../../libvirt/inspector.ts';
import type { Metadata, Resource } from '../../plugin.ts';
import type { MetadataValue } from '../../sample.ts';
import { type Devices, type Nic, readDevices } from './devices.ts';
import { type NovaMetadata, readNovaMetadata } from './nova-metadata.ts';
import { baseMetadata, nicMetadata } from './resource-metadata.ts';
import { type ReservedMetadataOptions, reservedUserMetadata } from './user-metadata.ts';
import { attribute, type Element, find, text } from './xml.ts';

export interface Instance extends Resource {
  readonly domain: Domain;
  readonly nova: NovaMetadata;
  readonly devices: Devices;
  /** The same object until the state changes: what a sample looks like on the wire is computed once per object. */
  metadata(state: number): InstanceMetadata;
}

interface InstanceMetadata {
  readonly base: Metadata;
  cpu(count: number | undefined): Metadata;
  disk(device: string): Metadata;
  nic(nic: Nic): Metadata;
}

/** What only the Nova API knows. Both answer at once, from what was asked of Nova before. */
export interface NovaLookup {
  /** Undefined when Nova knows no flavor of this name. */
  flavorId(name: string): string | undefined;
  /** The metadata that users gave the instance. */
  serverMetadata(uuid: string): Readonly<Record<string, string>>;
}

export interface InstanceOptions {
  readonly hostname: string;
  readonly reserved: ReservedMetadataOptions;
  readonly nova: NovaLookup;
}

/** Derives all that stays the same until the domain changes. Throws an error that says what is wrong with its XML. */
export function createInstance(domain: Domain, root: Element, nova: Element, options: InstanceOptions): Instance {
  const facts = readNovaMetadata(nova);
  const type = find(root, 'os/type');
  const architecture = attribute(type, 'arch');
  if (type === undefined || architecture === undefined) {
    throw new AgentError('ERR_DOMAIN_XML', "element os/type of the domain has no attribute 'arch'");
  }
  const { flavor } = facts;
  const described = {
    domain,
    nova: facts,
    flavorId: flavor.id ?? (options.nova.flavorId(flavor.name) || flavor.name),
    architecture,
    osType: text(type),
    hostname: options.hostname,
  };
  let latest: { readonly state: number; readonly metadata: InstanceMetadata } | undefined;
  return {
    id: domain.uuid,
    domain,
    nova: facts,
    devices: readDevices(root),
    metadata(state) {
      if (latest?.state !== state) {
        const base = baseMetadata(described, state);
        const user = reservedUserMetadata(options.nova.serverMetadata(domain.uuid), base, options.reserved);
        latest = { state, metadata: deriveMetadata(user === undefined ? base : { ...base, user_metadata: user }) };
      }
      return latest.metadata;
    },
  };
}

function deriveMetadata(base: Readonly<Record<string, MetadataValue>>): InstanceMetadata {
  const made = new Map<number | string | Nic | undefined, Metadata>();
  function once(key: number | string | Nic | undefined, make: () => Metadata): Metadata {
    let metadata = made.get(key);
    if (metadata === undefined) {
      metadata = make();
      made.set(key, metadata);
    }
    return metadata;
  }
  return {
    base,
    cpu: (count) => once(count, () => ({ ...base, cpu_number: count ?? null })),
    disk: (device) => once(device, () => ({ ...base, disk_name: device })),
    nic: (nic) => once(nic, () => nicMetadata(base, nic)),
  };
}
