/** Which of the metadata that a user gave an instance is for metering: `[DEFAULT] reserved_metadata_*`. */
import { cropped } from '../../python/text.ts';
import type { MetadataValue } from '../../sample.ts';

export interface ReservedMetadataOptions {
  /** Prefixes; what follows them is the name in a sample. */
  readonly reservedMetadataNamespace: readonly string[];
  readonly reservedMetadataKeys: readonly string[];
  /** Longest value in characters; below 0, how many of them are cut off. */
  readonly reservedMetadataLength: number;
}

type Values = Readonly<Record<string, MetadataValue>>;

/** Undefined when nothing is reserved. A name that the sample's metadata has already is left out, as upstream does. */
export function reservedUserMetadata(
  given: Values,
  taken: Values,
  options: ReservedMetadataOptions,
): Values | undefined {
  const reserved = new Map<string, MetadataValue>();
  function add(key: string, value: MetadataValue): void {
    const name = key.replaceAll('.', '_');
    if (!Object.hasOwn(taken, name)) reserved.set(name, cut(value, options.reservedMetadataLength));
  }
  for (const prefix of options.reservedMetadataNamespace) {
    for (const [key, value] of Object.entries(given)) {
      if (key.startsWith(prefix)) add(key.slice(prefix.length), value);
    }
  }
  for (const key of options.reservedMetadataKeys) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (value !== undefined) add(key, value);
  }
  return reserved.size === 0 ? undefined : Object.fromEntries(reserved);
}

function cut(value: MetadataValue, length: number): MetadataValue {
  return typeof value === 'string' ? cropped(value, length) : value;
}
