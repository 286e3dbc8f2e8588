/** An image of Glance as upstream puts it into the metadata of samples. */
import { asSdkType, printed, type SdkType } from '../../../openstack/sdk-types.ts';
import type { JsonObject } from '../../../wire/value.ts';

type Row = readonly [name: string, inGlance?: string, type?: SdkType];

/**
 * The attributes of openstacksdk's Image (4.20, openstack/image/v2/image.py) in their order: name, the name in Glance's
 * answer where that is another, and what the value is turned into. Upstream prints each of them, also what the image
 * does not have.
 */
const ATTRIBUTES: readonly Row[] = [
  ['checksum'],
  ['container_format'],
  ['created_at'],
  ['disk_format'],
  ['is_hidden', 'os_hidden', 'boolean'],
  ['is_protected', 'protected', 'boolean'],
  ['hash_algo', 'os_hash_algo'],
  ['hash_value', 'os_hash_value'],
  ['min_disk'],
  ['min_ram'],
  ['owner'],
  ['owner_id', 'owner'],
  ['properties'],
  ['size', 'size', 'integer'],
  ['store'],
  ['status'],
  ['updated_at'],
  ['virtual_size'],
  ['visibility'],
  ['file'],
  ['locations'],
  ['direct_url'],
  ['url'],
  ['architecture'],
  ['hypervisor_type'],
  ['instance_type_rxtx_factor', 'instance_type_rxtx_factor', 'float'],
  ['instance_uuid'],
  ['needs_config_drive', 'img_config_drive'],
  ['os_distro'],
  ['os_version'],
  ['needs_secure_boot', 'os_secure_boot'],
  ['os_shutdown_timeout', 'os_shutdown_timeout', 'integer'],
  ['vm_mode'],
  ['hw_cpu_sockets', 'hw_cpu_sockets', 'integer'],
  ['hw_cpu_cores', 'hw_cpu_cores', 'integer'],
  ['hw_cpu_threads', 'hw_cpu_threads', 'integer'],
  ['hw_disk_bus'],
  ['hw_cpu_policy'],
  ['hw_cpu_thread_policy'],
  ['hw_rng_model'],
  ['hw_machine_type'],
  ['hw_scsi_model'],
  ['hw_serial_port_count', 'hw_serial_port_count', 'integer'],
  ['hw_video_model'],
  ['hw_video_ram', 'hw_video_ram', 'integer'],
  ['hw_watchdog_action'],
  ['os_command_line'],
  ['hw_vif_model'],
  ['is_hw_vif_multiqueue_enabled', 'hw_vif_multiqueue_enabled', 'boolean'],
  ['is_hw_boot_menu_enabled', 'hw_boot_menu', 'boolean'],
  ['vmware_adaptertype'],
  ['vmware_ostype'],
  ['has_auto_disk_config', 'auto_disk_config'],
  ['os_type'],
  ['os_admin_user'],
  ['hw_qemu_guest_agent'],
  ['os_require_quiesce', 'os_require_quiesce', 'boolean'],
  ['schema'],
  ['tags'],
];

/** In Glance's answer, but no property of the image. */
const OTHERS = ['id', 'name', 'metadata', 'self', 'kernel_id', 'ramdisk_id'];
const KNOWN = new Set([...OTHERS, ...ATTRIBUTES.map(([name, inGlance = name]) => inGlance)]);

/** All values are text, as Python prints them. */
export function imageMeta(id: string, image: JsonObject): Readonly<Record<string, string>> {
  const known: JsonObject = { properties: propertiesOf(image), tags: [] };
  const values = ATTRIBUTES.map(([name, inGlance = name, type]): [string, string] => {
    const value = (name === 'properties' ? undefined : image[inGlance]) ?? known[name] ?? null;
    return [name, printed(type === undefined ? value : asSdkType(value, type))];
  });
  return { base_image_ref: id, ...Object.fromEntries(values) };
}

function propertiesOf(image: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(image).filter(([key]) => !KNOWN.has(key)));
}
