/** A server of Nova with its flavor and image, and the metadata of its samples as upstream makes it. */
import type { Metadata, MetadataValue } from '../../../plugin.ts';
import { isList, isObject, type JsonObject } from '../../../wire/value.ts';
import { type Integer, subtract } from '../integer.ts';
import type { NovaMetadata } from '../nova-metadata.ts';
import { type ReservedMetadataOptions, reservedUserMetadata } from '../user-metadata.ts';
import { imageMeta } from './image-meta.ts';

/** One that stays the same is the same object. */
export interface Server {
  readonly id: string;
  /** What the pollsters read, in the form in which libvirt has it. */
  readonly nova: NovaMetadata;
  readonly metadata: Metadata;
}

export interface ServerParts {
  readonly server: JsonObject;
  /** Undefined when there is none any more. */
  readonly flavor: JsonObject | undefined;
  /** Undefined when there is none any more, or it could not be asked for. */
  readonly image: JsonObject | undefined;
}

/** The id of its flavor; undefined for an answer that has none. */
export function flavorIdOf(server: JsonObject): string | undefined {
  return textIn(objectIn(server, 'flavor'), 'id');
}

/** The id of its image; undefined for a server that boots from a volume. */
export function imageIdOf(server: JsonObject): string | undefined {
  return textIn(objectIn(server, 'image'), 'id');
}

export function describeServer(parts: ServerParts, reserved: ReservedMetadataOptions): Server {
  const { server } = parts;
  const id = textIn(server, 'id') ?? '';
  const flavor = flavorOf(parts);
  const base = baseMetadata(parts, flavor);
  const user = reservedUserMetadata(objectIn(server, 'metadata') ?? {}, base, reserved);
  return {
    id,
    nova: {
      name: textIn(server, 'name') ?? null,
      userId: textIn(server, 'user_id') ?? '',
      projectId: textIn(server, 'tenant_id') ?? '',
      flavor: { id: flavor.id, name: flavor.name, ...flavor.sizes, swap: 0, extraSpecs: undefined },
      imageId: imageIdOf(server),
      imageMeta: undefined,
    },
    metadata: user === undefined ? base : { ...base, user_metadata: user },
  };
}

interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly sizes: {
    readonly vcpus: Integer;
    readonly ram: Integer;
    readonly disk: Integer;
    readonly ephemeral: Integer;
  };
}

/** A flavor that was deleted has no sizes: upstream counts them as 0. */
function flavorOf({ server, flavor }: ServerParts): Flavor {
  const id = flavorIdOf(server) ?? '';
  return {
    id,
    name: textIn(flavor, 'name') ?? `unknown-id-${id}`,
    sizes: {
      vcpus: integerIn(flavor, 'vcpus'),
      ram: integerIn(flavor, 'ram'),
      disk: integerIn(flavor, 'disk'),
      ephemeral: integerIn(flavor, 'OS-FLV-EXT-DATA:ephemeral'),
    },
  };
}

/** Of a server's own properties these go into the metadata, where Nova tells them. */
const PROPERTIES = [
  'reservation_id',
  'architecture',
  'OS-EXT-AZ:availability_zone',
  'kernel_id',
  'os_type',
  'ramdisk_id',
];

function baseMetadata({ server, image }: ServerParts, flavor: Flavor): Record<string, MetadataValue> {
  const value = (key: string, otherwise: MetadataValue): MetadataValue => server[key] ?? otherwise;
  const told = (key: string): MetadataValue => (server[key] === undefined ? '' : server[key]);
  const imageId = imageIdOf(server);
  const { name, sizes } = flavor;
  const withImage: JsonObject = {
    ...server,
    kernel_id: image?.['kernel_id'] ?? null,
    ramdisk_id: image?.['ramdisk_id'] ?? null,
  };
  return {
    display_name: value('name', null),
    name: told('OS-EXT-SRV-ATTR:instance_name'),
    instance_id: value('id', null),
    instance_type: name,
    host: value('hostId', null),
    instance_host: told('OS-EXT-SRV-ATTR:host'),
    flavor: { ...objectIn(server, 'flavor'), name, ...sizes },
    status: (textIn(server, 'status') ?? '').toLowerCase(),
    state: told('OS-EXT-STS:vm_state'),
    task_state: told('OS-EXT-STS:task_state'),
    image: imageId === undefined ? null : describeImage(server, image, imageId),
    image_ref: imageId ?? null,
    image_ref_url: firstLink(objectIn(server, 'image')),
    ...(imageId !== undefined && image !== undefined && { image_meta: imageMeta(imageId, image) }),
    ...Object.fromEntries(
      PROPERTIES.filter((key) => withImage[key] !== undefined).map((key) => [key, withImage[key] ?? null]),
    ),
    vcpus: sizes.vcpus,
    memory_mb: sizes.ram,
    disk_gb: sizes.disk,
    ephemeral_gb: sizes.ephemeral,
    root_gb: subtract(sizes.disk, sizes.ephemeral),
  };
}

function describeImage(server: JsonObject, image: JsonObject | undefined, id: string): Metadata {
  const name = image === undefined ? `unknown-id-${id}` : (image['name'] ?? null);
  return { ...objectIn(server, 'image'), name };
}

function firstLink(image: JsonObject | undefined): string | null {
  const links = image?.['links'];
  const first = links !== undefined && isList(links) ? links[0] : undefined;
  return first !== undefined && isObject(first) ? (textIn(first, 'href') ?? null) : null;
}

function objectIn(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key];
  return value !== undefined && isObject(value) ? value : undefined;
}

function textIn(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.[key];
  return typeof value === 'string' ? value : undefined;
}

function integerIn(object: JsonObject | undefined, key: string): Integer {
  const value = object?.[key];
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value)) ? value : 0;
}
