/** What nested definitions add to the metadata of a sample. */
import type { Host } from '../../plugin.ts';
import type { JsonObject, JsonValue } from '../../wire/value.ts';
import type { Definition, ExtraField } from './definition.ts';
import { type MeasureHooks, measure } from './measure.ts';
import { entryPages } from './pages.ts';
import { dictOf, isDict, isEqual, member } from './python/values.ts';
import type { ResponseCache } from './response-cache.ts';
import type { Source } from './source.ts';

export interface ExtraParts {
  readonly host: Host;
  readonly cache: ResponseCache;
  readonly sourceOf: (definition: Definition) => Source;
  readonly hooks: Omit<MeasureHooks, 'extra'>;
}

/** Asks for the fields in order; each sees what those before it captured. */
export async function extraMetadata(
  fields: readonly ExtraField[],
  sample: JsonObject,
  parts: ExtraParts,
  signal: AbortSignal,
): Promise<JsonObject> {
  const captured = new Map<string, JsonValue>();
  const byName = new Map<string, JsonValue>();
  for (const { definition, cacheFor, skip } of fields) {
    if (skip.some((wanted) => Object.keys(wanted).length > 0 && contains(sample, wanted))) continue;
    const inputs = {
      sample,
      extra_metadata_captured: dictOf(captured),
      extra_metadata_by_name: dictOf(byName),
    };
    const source = parts.sourceOf(definition);
    for (const resource of await resourcesOf(definition, parts.host, signal)) {
      const asking = { definition, source, resource, inputs, signal, cache: parts.cache, cacheFor };
      const hooks = {
        ...parts.hooks,
        extra: (inner: JsonObject) => extraMetadata(definition.extra, inner, parts, signal),
      };
      for await (const entries of entryPages(asking)) {
        for (const entry of entries) {
          for await (const { name, value, metadata } of measure(definition, entry, hooks)) {
            captured.set(name, value);
            for (const [key, item] of Object.entries(metadata)) {
              if (item !== null || !captured.has(key)) captured.set(key, item);
            }
            byName.set(name, { value, metadata });
          }
        }
      }
    }
  }
  return dictOf(captured);
}

async function resourcesOf({ origin }: Definition, host: Host, signal: AbortSignal): Promise<readonly string[]> {
  if (origin.kind !== 'openstack') return [''];
  const endpoints = await host.openstack().endpoints(origin.endpointType, signal);
  return [...new Set(endpoints.map(({ url }) => url))];
}

/** Whether everything in `wanted` is in the sample, maps within maps likewise. */
function contains(sample: JsonValue, wanted: JsonValue): boolean {
  if (isEqual(sample, wanted)) return true;
  if (!isDict(sample) || !isDict(wanted)) return false;
  return Object.entries(wanted).every(([key, inner]) => {
    const found = member(sample, key);
    return found !== undefined && contains(found, inner);
  });
}
