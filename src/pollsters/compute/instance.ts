/** A Nova instance of this host, as the discovery hands it to the pollsters. */
import { AgentError } from '../../errors.ts';
import type { Domain } from '../../libvirt/inspector.ts';
import type { Metadata, Resource } from '../../plugin.ts';
import { extendMetadata, type MetadataValue } from '../../sample.ts';
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
  resources(state: number): InstanceResources;
}

export function isInstance(resource: Resource): resource is Instance {
  return 'domain' in resource && 'devices' in resource;
}

/** What samples of an instance are of. */
export interface InstanceResources {
  readonly whole: InstanceResource;
  /** The same, with the number of vCPUs in its metadata. */
  withCpus(count: number | undefined): InstanceResource;
  readonly disks: readonly DiskResource[];
  readonly nics: readonly NicResource[];
}

export interface InstanceResource {
  readonly resourceId: string;
  readonly metadata: Metadata;
}

export interface DiskResource extends InstanceResource {
  /** Its name in the guest. */
  readonly device: string;
}

export interface NicResource extends InstanceResource {
  readonly nic: Nic;
}

/** What of an instance its domain's XML says. */
export interface InstanceFacts {
  readonly domain: Domain;
  readonly nova: NovaMetadata;
  readonly devices: Devices;
  readonly architecture: string;
  readonly osType: string | null;
}

/** What only the Nova API knows of an instance. */
export interface NovaKnowledge {
  /** Undefined when Nova knows no flavor of this name, or could not be asked. */
  readonly flavorId: string | undefined;
  /** The metadata that users gave the instance. */
  readonly serverMetadata: Readonly<Record<string, string>>;
}

export interface InstanceOptions {
  readonly hostname: string;
  readonly reserved: ReservedMetadataOptions;
}

/** Derives all that stays the same until the domain changes. Throws an error that says what is wrong with its XML. */
export function readInstance(domain: Domain, root: Element, nova: Element): InstanceFacts {
  const facts = readNovaMetadata(nova);
  const type = find(root, 'os/type');
  const architecture = attribute(type, 'arch');
  if (type === undefined || architecture === undefined) {
    throw new AgentError('ERR_DOMAIN_XML', "element os/type of the domain has no attribute 'arch'");
  }
  return { domain, nova: facts, devices: readDevices(root), architecture, osType: text(type) };
}

export function createInstance(facts: InstanceFacts, known: NovaKnowledge, options: InstanceOptions): Instance {
  const { domain, nova, devices } = facts;
  const { flavor } = nova;
  const { hostname, reserved } = options;
  const described = { ...facts, flavorId: flavor.id ?? (known.flavorId || flavor.name), hostname };
  let latest: { readonly state: number; readonly resources: InstanceResources } | undefined;
  return {
    id: domain.uuid,
    domain,
    nova,
    devices,
    resources(state) {
      if (latest?.state !== state) {
        const base = baseMetadata(described, state);
        const user = reservedUserMetadata(known.serverMetadata, base, reserved);
        latest = {
          state,
          resources: deriveResources(facts, user === undefined ? base : { ...base, user_metadata: user }),
        };
      }
      return latest.resources;
    },
  };
}

/** The resources of an instance, the metadata of each made once. */
export function deriveResources(
  { domain, devices }: Pick<Instance, 'domain' | 'devices'>,
  base: Readonly<Record<string, MetadataValue>>,
): InstanceResources {
  let latest: { readonly count: number | undefined; readonly resource: InstanceResource } | undefined;
  return {
    whole: { resourceId: domain.uuid, metadata: base },
    withCpus(count) {
      if (latest === undefined || latest.count !== count) {
        const metadata = extendMetadata(base, { cpu_number: count ?? null });
        latest = { count, resource: { resourceId: domain.uuid, metadata } };
      }
      return latest.resource;
    },
    disks: devices.disks.map((device) => ({
      device,
      resourceId: `${domain.uuid}-${device}`,
      metadata: extendMetadata(base, { disk_name: device }),
    })),
    nics: devices.nics.map((nic) => ({
      nic,
      // Upstream's: the name of the filter, when there is one, takes the place of the whole id.
      resourceId: (nic.fref ?? `${domain.name}-${domain.uuid}-${nic.tap}`) || domain.uuid,
      metadata: nicMetadata(base, nic),
    })),
  };
}
