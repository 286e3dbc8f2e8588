/** The options of a definition, as the file has them. What is null counts as left out. */
import * as v from 'valibot';
import { mapping, mappingOf } from '../../config/schema.ts';
import type { JsonValue } from '../../wire/value.ts';

/** Any value of a YAML file; a date is the text that it is in JSON. */
const anything = v.pipe(v.unknown(), v.transform(plain));

function plain(value: unknown): JsonValue {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const map = mappingOf(anything);
const text = v.nullish(v.string());
const texts = v.union(
  [
    v.pipe(
      v.string(),
      v.transform((one) => [one]),
    ),
    v.array(v.string()),
  ],
  'expected a text or a list of texts',
);
const number = v.pipe(v.number(), v.finite('expected a number'));

export const definitionEntries = {
  name: v.pipe(
    v.string(),
    v.regex(
      /^[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*(\.\{[\p{L}\p{N}_-]+\})?$/u,
      'expected words of letters, digits, _ and - between dots, and no more than one {attribute} at the end',
    ),
  ),
  namespaces: v.nullish(texts),
  sample_type: v.nullish(v.picklist(['gauge', 'delta', 'cumulative'], 'expected gauge, delta or cumulative')),
  unit: text,
  value_attribute: text,
  value: text,
  endpoint_type: text,
  url_path: v.nullish(texts),
  // Upstream goes through whatever it finds: of a map, through its keys.
  metadata_fields: v.nullish(v.union([texts, v.pipe(map, v.transform(Object.keys))], 'expected a list of texts')),
  metadata_mapping: v.nullish(mappingOf(v.string())),
  preserve_mapped_metadata: v.nullish(v.boolean()),
  skip_sample_values: v.nullish(v.array(anything)),
  value_mapping: v.nullish(map),
  default_value: v.nullish(anything),
  response_entries_key: text,
  next_sample_url_attribute: text,
  user_id_attribute: text,
  project_id_attribute: text,
  resource_id_attribute: text,
  headers: v.nullish(
    mappingOf(v.pipe(v.union([v.string(), v.number()], 'expected a text or a number'), v.transform(String))),
  ),
  timeout: v.nullish(v.pipe(number, v.gtValue(0))),
  response_handlers: v.nullish(
    v.pipe(
      v.array(v.picklist(['json', 'xml', 'text'], 'expected json, xml or text')),
      v.nonEmpty('expected at least one of json, xml and text'),
    ),
  ),
  extra_metadata_fields: v.nullish(
    v.union(
      [
        v.array(v.unknown()),
        v.pipe(
          mappingOf(v.unknown()),
          v.transform((one): unknown[] => [one]),
        ),
      ],
      'expected a definition or a list of definitions',
    ),
  ),
  extra_metadata_fields_cache_seconds: v.nullish(v.pipe(number, v.minValue(0))),
  extra_metadata_fields_skip: v.nullish(v.array(map)),
  module: text,
  authentication_object: text,
  authentication_parameters: text,
  barbican_secret_id: text,
  host_command: v.nullish(v.union([v.string(), v.array(v.string())], 'expected a text or a list of texts')),
  base_metadata: v.nullish(map),
};

export const definitionSchema = mapping(definitionEntries);

export type RawDefinition = v.InferOutput<typeof definitionSchema>;
