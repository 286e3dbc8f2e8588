/** The metadata of an instance's samples, key by key in the order that upstream sends them. */
import { createHash } from 'node:crypto';
import type { Domain } from '../../libvirt/inspector.ts';
import { extendMetadata, type Metadata, type MetadataValue } from '../../sample.ts';
import type { Nic } from './devices.ts';
import { wordsOf } from './domain-state.ts';
import { subtract } from './integer.ts';
import type { NovaMetadata } from './nova-metadata.ts';

/** What of an instance goes into its metadata besides its state. */
export interface Described {
  readonly domain: Domain;
  readonly nova: NovaMetadata;
  readonly flavorId: string;
  readonly architecture: string;
  readonly osType: string | null;
  readonly hostname: string;
}

/** Everything but `user_metadata`, which depends on what is here already. */
export function baseMetadata(described: Described, state: number): Record<string, MetadataValue> {
  const { domain, nova, hostname } = described;
  const { flavor, imageId, imageMeta } = nova;
  const words = wordsOf(state);
  return {
    display_name: nova.name,
    name: domain.name,
    instance_id: domain.uuid,
    instance_type: flavor.name,
    host: createHash('sha224').update(`${nova.projectId}${hostname}`, 'utf8').digest('hex'),
    instance_host: hostname,
    flavor: flavorMetadata(described),
    status: words.status,
    state: words.state,
    task_state: '',
    image: imageId === undefined ? null : { id: imageId },
    image_ref: imageId ?? null,
    image_ref_url: null,
    ...(imageMeta !== undefined && Object.keys(imageMeta).length > 0 && { image_meta: imageMeta }),
    architecture: described.architecture,
    os_type: described.osType,
    vcpus: flavor.vcpus,
    memory_mb: flavor.ram,
    disk_gb: flavor.disk,
    ephemeral_gb: flavor.ephemeral,
    root_gb: subtract(flavor.disk, flavor.ephemeral),
  };
}

function flavorMetadata({ nova, flavorId }: Described): Metadata {
  const { name, vcpus, ram, disk, ephemeral, swap, extraSpecs } = nova.flavor;
  return {
    id: flavorId,
    name,
    vcpus,
    ram,
    disk,
    ephemeral,
    swap,
    ...(extraSpecs !== undefined && { extra_specs: extraSpecs }),
  };
}

/** The tap's name takes the place of the domain's, as upstream has it. */
export function nicMetadata(base: Metadata, nic: Nic): Metadata {
  const { tap, mac, fref, parameters } = nic;
  return extendMetadata(base, { name: tap, mac, fref, parameters, vnic_name: fref ?? tap });
}
