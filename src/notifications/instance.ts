/**
 * Instances as Nova tells of them, legacy and versioned notifications alike: the meter `instance`, and the sizes that
 * the shipped definitions know of legacy ones only. Not active by default, since upstream has none of this.
 */
import type { Notification, NotificationSample } from '../notification.ts';
import type { NotificationEndpoint } from '../plugin.ts';
import { getKey } from '../python/value.ts';
import { isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import { createIds, createSampleMaker } from './sample.ts';
import { type ReservedMetadata, userMetadata } from './user-metadata.ts';

interface Instance {
  readonly id: JsonValue;
  readonly userId: JsonValue;
  readonly projectId: JsonValue;
  readonly vcpus: JsonValue;
  readonly memory: JsonValue;
  readonly root: JsonValue;
  readonly ephemeral: JsonValue;
  readonly metadata: Readonly<Record<string, JsonValue>>;
  readonly userMetadata: JsonValue;
}

interface InstanceMeter {
  readonly name: string;
  readonly unit: string;
  readonly volume: (instance: Instance) => JsonValue;
}

const meters: readonly InstanceMeter[] = [
  { name: 'instance', unit: 'instance', volume: () => 1 },
  { name: 'memory', unit: 'MiB', volume: ({ memory }) => memory },
  { name: 'vcpus', unit: 'vcpu', volume: ({ vcpus }) => vcpus },
  { name: 'disk.root.size', unit: 'GiB', volume: ({ root }) => root },
  { name: 'disk.ephemeral.size', unit: 'GiB', volume: ({ ephemeral }) => ephemeral },
];

const legacy = ['compute.instance.create.end', 'compute.instance.exists', 'compute.instance.delete.start'];
const versioned = ['instance.create.end', 'instance.exists', 'instance.delete.start'];
const names = new Set(meters.map(({ name }) => name));

/** Whether this endpoint makes the meter of such an event, so that nothing else has to. */
export function makesInstanceMeter(meter: JsonValue, eventType: string): boolean {
  return typeof meter === 'string' && names.has(meter) && legacy.includes(eventType);
}

export function instanceEndpoint(source: string, reserved: ReservedMetadata): NotificationEndpoint {
  return {
    eventTypes: [...legacy, ...versioned].map((eventType) => `${eventType.replaceAll('.', '\\.')}$`),
    process(notification) {
      const instance = readInstance(notification);
      const { userMetadata: own } = instance;
      const user = isObject(own) ? userMetadata(own, instance.metadata, reserved) : undefined;
      const metadata = user === undefined ? instance.metadata : { ...instance.metadata, user_metadata: user };
      const maker = createSampleMaker(notification, source, createIds(notification));
      return meters.flatMap(({ name, unit, volume: volumeOf }): readonly NotificationSample[] => {
        const volume = volumeOf(instance);
        if (volume === null) return [];
        const { id: resourceId, userId, projectId } = instance;
        return [maker.make({ name, type: 'gauge', unit, volume, resourceId, userId, projectId, metadata })];
      });
    },
  };
}

function readInstance({ payload }: Notification): Instance {
  const data = unwrapped(payload);
  return getKey(data, 'instance_id') === undefined ? fromVersioned(data) : fromLegacy(data);
}

/** A versioned object within its `nova_object.data`; anything else is itself. */
function unwrapped(value: JsonValue | undefined): JsonValue {
  return getKey(value, 'nova_object.data') ?? value ?? null;
}

function reader(data: JsonValue): (key: string) => JsonValue {
  return (key) => getKey(data, key) ?? null;
}

function fromLegacy(data: JsonValue): Instance {
  const get = reader(data);
  const image = get('image_meta');
  return {
    id: get('instance_id'),
    userId: get('user_id'),
    projectId: get('tenant_id'),
    vcpus: get('vcpus'),
    memory: get('memory_mb'),
    root: get('root_gb'),
    ephemeral: get('ephemeral_gb'),
    metadata: present({
      host: get('host'),
      flavor_id: get('instance_flavor_id'),
      flavor_name: get('instance_type'),
      display_name: get('display_name'),
      image_ref: getKey(image, 'base_image_ref') ?? null,
      launched_at: get('launched_at'),
      created_at: get('created_at'),
      deleted_at: get('deleted_at'),
      state: get('state'),
    }),
    userMetadata: get('metadata'),
  };
}

function fromVersioned(data: JsonValue): Instance {
  const get = reader(data);
  const flavor = reader(unwrapped(getKey(data, 'flavor')));
  return {
    id: get('uuid'),
    userId: get('user_id'),
    projectId: get('tenant_id'),
    vcpus: flavor('vcpus'),
    memory: flavor('memory_mb'),
    root: flavor('root_gb'),
    ephemeral: flavor('ephemeral_gb'),
    metadata: present({
      host: get('host'),
      flavor_id: flavor('flavorid'),
      flavor_name: flavor('name'),
      display_name: get('display_name'),
      image_ref: get('image_uuid'),
      launched_at: get('launched_at'),
      created_at: get('created_at'),
      deleted_at: get('deleted_at'),
      state: get('state'),
    }),
    userMetadata: get('metadata'),
  };
}

function present(metadata: JsonObject): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null && value !== ''));
}
