/**
 * The types of resources in Gnocchi that `gnocchi_resources.yaml` names, as upstream's `ceilometer-upgrade` leaves
 * them.
 */

interface AttributeType {
  readonly type: 'string' | 'uuid' | 'datetime';
  readonly required: boolean;
  readonly min_length?: number;
  readonly max_length?: number;
}

export type AttributeTypes = Readonly<Record<string, AttributeType>>;

const text = { type: 'string', required: false, min_length: 0, max_length: 255 } as const;
const neededText = { ...text, required: true } as const;
const time = { type: 'datetime', required: false } as const;
const uuid = { type: 'uuid', required: false } as const;
const neededUuid = { ...uuid, required: true } as const;

export const resourceTypes: Readonly<Record<string, AttributeTypes>> = {
  ceph_account: {},
  dns_zone: { zone_name: text, email: text, zone_type: text, pool_id: text },
  host: { host_name: neededText },
  host_disk: { host_name: neededText, device_name: text },
  host_network_interface: { host_name: neededText, device_name: text },
  identity: {},
  image: { name: neededText, container_format: text, disk_format: text },
  instance: {
    flavor_id: neededText,
    flavor_name: neededText,
    image_ref: text,
    host: text,
    display_name: neededText,
    server_group: text,
    availability_zone: text,
    launched_at: time,
    created_at: time,
    deleted_at: time,
  },
  instance_disk: { name: neededText, instance_id: neededUuid },
  instance_network_interface: { name: neededText, instance_id: neededUuid },
  ipmi: {},
  ipmi_sensor: { node: neededText },
  loadbalancer: { name: text, availability_zone: text, vip_address: text, provider: text },
  manila_share: { name: text, host: neededText, protocol: text, availability_zone: text, status: neededText },
  network: {},
  nova_compute: { host_name: neededText },
  stack: {},
  swift_account: { storage_policy: text },
  volume: { display_name: text, volume_type: text, volume_type_id: text, image_id: uuid, instance_id: uuid },
  volume_provider: {},
  volume_provider_pool: { provider: neededText },
  volume_service: { host: text, binary: text, zone: text, status: text },
};
