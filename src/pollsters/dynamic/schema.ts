/** The options of a definition, as the file has them. What is null counts as left out. */
import { z } from 'zod';
import type { JsonValue } from '../../wire/value.ts';

/** Any value of a YAML file; a date is the text that it is in JSON. */
const anything: z.ZodType<JsonValue> = z.unknown().transform(plain);

function plain(value: unknown): JsonValue {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const map = z.record(z.string(), anything);
const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())], {
  error: 'expected a text or a list of texts',
});
const seconds = z.number().nonnegative();

export const definitionSchema = z.looseObject({
  name: z
    .string()
    .regex(
      /^[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*(\.\{[\p{L}\p{N}_-]+\})?$/u,
      'expected words of letters, digits, _ and - between dots, and no more than one {attribute} at the end',
    ),
  namespaces: texts.nullish(),
  sample_type: z.enum(['gauge', 'delta', 'cumulative'], { error: 'expected gauge, delta or cumulative' }).nullish(),
  unit: z.string().nullish(),
  value_attribute: z.string().nullish(),
  value: z.string().nullish(),
  endpoint_type: z.string().nullish(),
  url_path: texts.nullish(),
  metadata_fields: texts.nullish(),
  metadata_mapping: z.record(z.string(), z.string()).nullish(),
  preserve_mapped_metadata: z.boolean().nullish(),
  skip_sample_values: z.array(anything).nullish(),
  value_mapping: map.nullish(),
  default_value: anything.nullish(),
  response_entries_key: z.string().nullish(),
  next_sample_url_attribute: z.string().nullish(),
  user_id_attribute: z.string().nullish(),
  project_id_attribute: z.string().nullish(),
  resource_id_attribute: z.string().nullish(),
  headers: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).nullish(),
  timeout: z.number().positive().nullish(),
  response_handlers: z
    .array(z.enum(['json', 'xml', 'text'], { error: 'expected json, xml or text' }))
    .min(1, 'expected at least one of json, xml and text')
    .nullish(),
  extra_metadata_fields: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown()).transform((one) => [one])], {
      error: 'expected a definition or a list of definitions',
    })
    .nullish(),
  extra_metadata_fields_cache_seconds: seconds.nullish(),
  extra_metadata_fields_skip: z.array(map).nullish(),
  module: z.string().nullish(),
  authentication_object: z.string().nullish(),
  authentication_parameters: z.string().nullish(),
  barbican_secret_id: z.string().nullish(),
  host_command: z.union([z.string(), z.array(z.string())], { error: 'expected a text or a list of texts' }).nullish(),
  base_metadata: map.nullish(),
});

export type RawDefinition = z.infer<typeof definitionSchema>;
