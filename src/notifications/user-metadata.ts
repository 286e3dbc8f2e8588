/** The part of a resource's metadata that its owner wrote, as far as the operator wants it in samples. */

import { cropped } from '../python/text.ts';
import { ValueError } from '../python/value.ts';
import { isObject, type JsonValue, keysOf } from '../wire/value.ts';

export interface ReservedMetadata {
  readonly reservedMetadataNamespace: readonly string[];
  readonly reservedMetadataKeys: readonly string[];
  readonly reservedMetadataLength: number;
}

/** Values of the keys that an option reserves, under names without the prefix and without dots; undefined when none. */
export function userMetadata(
  source: JsonValue,
  taken: Readonly<Record<string, JsonValue>>,
  options: ReservedMetadata,
): { readonly [key: string]: JsonValue } | undefined {
  if (options.reservedMetadataNamespace.length + options.reservedMetadataKeys.length === 0) return undefined;
  if (!isObject(source)) throw new ValueError('user metadata has to be a dict');
  const found: Record<string, JsonValue> = {};
  const add = (name: string, value: JsonValue) => {
    const key = name.replaceAll('.', '_');
    if (Object.hasOwn(taken, key)) return;
    found[key] = typeof value === 'string' ? cropped(value, options.reservedMetadataLength) : value;
  };
  for (const prefix of options.reservedMetadataNamespace) {
    for (const key of keysOf(source)) if (key.startsWith(prefix)) add(key.slice(prefix.length), source[key] ?? null);
  }
  for (const key of options.reservedMetadataKeys) if (Object.hasOwn(source, key)) add(key, source[key] ?? null);
  return Object.keys(found).length > 0 ? found : undefined;
}
