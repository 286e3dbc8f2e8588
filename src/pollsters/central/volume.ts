/** Cinder: volumes, snapshots, backups, pools and services. */
import { isTrue } from '../../openstack/sdk-types.ts';
import type { JsonObject } from '../../wire/value.ts';
import { isObject, type WholeFloat } from '../../wire/value.ts';
import type { Central } from './central.ts';
import { listIn, numberOf, objectIn, textIn, volumeOf } from './fields.ts';
import { codeIn, numberIn, type Table } from './item-pollsters.ts';
import type { Listing, Values } from './listing.ts';

const cinder = ({ services }: Central) => services.volume;
/** In capitals, as cinderclient says it. */
const ALL_TENANTS = { all_tenants: 'True' };

export const volumes: Listing = {
  name: 'volumes',
  service: cinder,
  path: '/volumes/detail',
  collection: 'volumes',
  query: ALL_TENANTS,
  unfold(volume): JsonObject {
    const [attachment] = listIn(volume, 'attachments');
    return {
      ...volume,
      image_id: textIn(objectIn(volume, 'volume_image_metadata') ?? {}, 'image_id') ?? null,
      instance_id: (attachment !== undefined && isObject(attachment) && textIn(attachment, 'server_id')) || null,
    };
  },
  project: ['os-vol-tenant-attr:tenant_id'],
  user: 'user_id',
  metadata: [
    'name',
    'status',
    'volume_type',
    'volume_type_id',
    'availability_zone',
    'os-vol-host-attr:host',
    'migration_status',
    'attachments',
    'snapshot_id',
    'source_volid',
    'image_id',
    'instance_id',
  ],
  values: ['size'],
};

export const snapshots: Listing = {
  name: 'volume_snapshots',
  service: cinder,
  path: '/snapshots/detail',
  collection: 'snapshots',
  query: ALL_TENANTS,
  project: ['os-extended-snapshot-attributes:project_id'],
  user: 'user_id',
  metadata: ['name', 'volume_id', 'status', 'description', 'metadata', 'os-extended-snapshot-attributes:progress'],
  values: ['size'],
};

export const backups: Listing = {
  name: 'volume_backups',
  service: cinder,
  path: '/backups/detail',
  collection: 'backups',
  query: ALL_TENANTS,
  project: ['os-backup-project-attr:project_id'],
  user: 'user_id',
  metadata: ['name', 'is_incremental', 'object_count', 'container', 'volume_id', 'status', 'description'],
  values: ['size'],
};

export const pools: Listing = {
  name: 'volume_pools',
  service: cinder,
  path: '/scheduler-stats/get_pools',
  collection: 'pools',
  query: { detail: 'True' },
  unfold: (pool): JsonObject => ({ ...objectIn(pool, 'capabilities'), id: pool['name'] ?? null }),
  project: [],
  metadata: ['pool_name'],
  values: [
    'total_capacity_gb',
    'free_capacity_gb',
    'allocated_capacity_gb',
    'provisioned_capacity_gb',
    'reserved_percentage',
    'max_over_subscription_ratio',
    'thin_provisioning_support',
  ],
};

export const services: Listing = {
  name: 'volume_services',
  service: cinder,
  path: '/os-services',
  collection: 'services',
  unfold(service): JsonObject {
    const [binary, host] = [textIn(service, 'binary'), textIn(service, 'host')];
    return { ...service, id: binary === undefined || host === undefined ? null : `${binary}@${host}` };
  },
  project: [],
  metadata: ['binary', 'host', 'zone', 'status'],
  values: ['state'],
};

export const volumeSize: Table = {
  'volume.size': { unit: 'GiB', help: 'Size of the volume, as Cinder has it.', read: numberIn('size') },
};

export const snapshotSize: Table = {
  'volume.snapshot.size': {
    unit: 'GiB',
    help: 'Size of the volume when the snapshot was made.',
    read: numberIn('size'),
  },
};

export const backupSize: Table = {
  'volume.backup.size': { unit: 'GiB', help: 'Size of the volume that was backed up.', read: numberIn('size') },
};

export const poolCapacity: Table = {
  'volume.provider.pool.capacity.total': {
    unit: 'GiB',
    help: "Capacity of the back end's pool; no sample where the driver says `infinite` or `unknown`.",
    read: numberIn('total_capacity_gb'),
  },
  'volume.provider.pool.capacity.free': {
    unit: 'GiB',
    help: 'What is free of it; no sample where the driver says `infinite` or `unknown`.',
    read: numberIn('free_capacity_gb'),
  },
  'volume.provider.pool.capacity.allocated': {
    unit: 'GiB',
    help: 'Sum of the volumes that Cinder made in the pool.',
    read: numberIn('allocated_capacity_gb'),
  },
  'volume.provider.pool.capacity.provisioned': {
    unit: 'GiB',
    help: 'Sum of all volumes in the pool, as the driver knows them; no sample where that is 0 or not known.',
    read: provisioned,
  },
  'volume.provider.pool.capacity.virtual_free': {
    unit: 'GiB',
    float: true,
    help: 'What may still be provisioned: (total − reserved) × over-subscription ratio − provisioned; the ratio counts for thin provisioning only.',
    read: virtualFree,
  },
};

export const serviceHealth: Table = {
  'volume.service.health': {
    unit: 'health',
    help: 'Whether the Cinder service is up (1) or down (0); −1 for another word.',
    read: codeIn({ up: 1, down: 0 }, 'state'),
  },
};

/** None is no value, upstream leaves it out. */
function provisioned(values: Values): number | bigint | WholeFloat | undefined {
  const volume = volumeOf(values['provisioned_capacity_gb']);
  return numberOf(volume) ? volume : undefined;
}

/** Upstream's reckoning, the rounding down of what is reserved included. */
function virtualFree(values: Values): number | undefined {
  const used = numberOf(provisioned(values));
  const total = numberOf(values['total_capacity_gb']);
  if (used === undefined || total === undefined) return undefined;
  const reserved = Number(numberOf(values['reserved_percentage']) ?? 0);
  const thin = isTrue(values['thin_provisioning_support'] ?? null);
  const ratio = thin ? numberOf(values['max_over_subscription_ratio']) : 1;
  if (ratio === undefined) return undefined;
  return Number(ratio) * (Number(total) - Math.floor((reserved / 100) * Number(total))) - Number(used);
}
