/** From the options in a file to a definition. */
import { ConfigError, describeError } from '../../errors.ts';
import type { JsonObject } from '../../wire/value.ts';
import { type Attribute, compileAttribute } from './attribute.ts';
import { findAuthentication } from './authentication.ts';
import type { Definition, ExtraField, Origin, ValueRule } from './definition.ts';
import type { RawDefinition } from './schema.ts';
import { compileTemplate, type Template } from './template.ts';

export interface Compiling {
  readonly raw: RawDefinition;
  readonly extra: readonly ExtraField[];
  /** Of a nested definition, whose expressions see what was captured before it. */
  readonly nested: boolean;
  /** `file:line` of an option. */
  where(option: keyof RawDefinition): string;
}

const CAPTURED = ['sample', 'extra_metadata_captured', 'extra_metadata_by_name'];
const MULTI_NAME = /\.\{([\p{L}\p{N}_]+)\}$/u;
const MULTI_VALUE = /^\[([\p{L}\p{N}_]+)\]((?:\.[\p{L}\p{N}_]+)+)$/u;
const DEFAULT_TIMEOUT = 30;

/** Throws {@link ConfigError}. */
export function compileDefinition(compiling: Compiling): Definition {
  const { raw, extra, where } = compiling;

  function fail(option: keyof RawDefinition, message: string): never {
    throw new ConfigError(`${where(option)}: ${raw.name}: ${message}`);
  }

  function required<K extends keyof RawDefinition>(option: K): NonNullable<RawDefinition[K]> {
    const value = raw[option];
    if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) {
      return fail(option, `${option} is missing`);
    }
    return value;
  }

  function guarded<T>(option: keyof RawDefinition, text: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      return fail(option, `${option}: expression ${JSON.stringify(text)}: ${describeError(error)}`);
    }
  }

  const attribute = (option: keyof RawDefinition, text: string): Attribute =>
    guarded(option, text, () => compileAttribute(text));
  const optional = (option: 'response_entries_key' | 'next_sample_url_attribute'): Attribute | undefined => {
    const text = raw[option];
    return text ? attribute(option, text) : undefined;
  };
  const baseMetadata: JsonObject = raw.base_metadata ?? {};
  const names = compiling.nested ? CAPTURED : Object.keys(baseMetadata);
  const templates = (option: 'url_path' | 'host_command', texts: readonly string[]): readonly Template[] =>
    texts.map((text) => guarded(option, text, () => compileTemplate(text, names)));

  function originOf(): Origin {
    const command = raw.host_command ?? '';
    if (command.length > 0) {
      const [form, words] =
        typeof command === 'string' ? (['line', [command]] as const) : (['words', command] as const);
      return { kind: 'command', form, words: templates('host_command', words) };
    }
    if (!raw.module) {
      const paths = templates('url_path', required('url_path'));
      return { kind: 'openstack', endpointType: required('endpoint_type'), paths };
    }
    const object = required('authentication_object');
    const authentication = findAuthentication(raw.module, object);
    if (authentication === undefined) {
      return fail(
        'authentication_object',
        `${object} of the Python module ${raw.module} is not known, S3Auth of awsauth and HTTPBasicAuth are`,
      );
    }
    return {
      kind: 'api',
      urls: templates('url_path', required('url_path')),
      authentication,
      parameters: raw.authentication_parameters ?? '',
      secretId: raw.barbican_secret_id ?? '',
    };
  }

  function valueRule(): ValueRule {
    const text = required('value_attribute');
    const label = MULTI_NAME.exec(raw.name)?.[1];
    if (label === undefined) return { kind: 'single', attribute: attribute('value_attribute', text) };
    const [, list, element] = MULTI_VALUE.exec(text) ?? [];
    if (list === undefined || element === undefined) {
      return fail(
        'value_attribute',
        `value_attribute: expected [list].attribute, as the name ends in {${label}}, got ${JSON.stringify(text)}`,
      );
    }
    return { kind: 'multi', list: compileAttribute(list), element: compileAttribute(element.slice(1)), label };
  }

  const ids = (
    [
      ['user_id', 'user_id_attribute'],
      ['project_id', 'project_id_attribute'],
      ['id', 'resource_id_attribute'],
    ] as const
  ).flatMap(([field, option]) => {
    const text = raw[option] ?? field;
    return text === field || text === '' ? [] : [[field, attribute(option, text)] as const];
  });
  return {
    name: raw.name,
    namespaces: raw.namespaces ?? ['central'],
    meter: { name: raw.name, type: required('sample_type'), unit: required('unit') },
    origin: originOf(),
    value: valueRule(),
    skipValues: raw.skip_sample_values ?? [],
    valueMapping: raw.value_mapping ?? {},
    defaultValue: raw.default_value ?? -1,
    metadataFields: (raw.metadata_fields ?? []).map((text) => attribute('metadata_fields', text)),
    metadataMapping: raw.metadata_mapping ?? {},
    keepMapped: raw.preserve_mapped_metadata ?? true,
    entriesKey: optional('response_entries_key'),
    nextPage: optional('next_sample_url_attribute'),
    ids,
    headers: Object.fromEntries(Object.entries(raw.headers ?? {}).map(([name, text]) => [name.toLowerCase(), text])),
    timeout: (raw.timeout ?? DEFAULT_TIMEOUT) * 1000,
    handlers: raw.response_handlers ?? ['json'],
    baseMetadata,
    extra,
  };
}
