/** Reads the files with definitions. Whatever is wrong costs only the definition that it is in. */
import { array, nullable, unknown } from 'valibot';
import { readYamlFile, type YamlFile } from '../../config/yaml.ts';
import { codeOf, describeError } from '../../errors.ts';
import type { Logger } from '../../plugin.ts';
import { nearest } from '../../util/nearest.ts';
import { compileDefinition } from './compile.ts';
import type { Definition, ExtraField } from './definition.ts';
import { definitionEntries, definitionSchema, type RawDefinition } from './schema.ts';

export interface LoadedDefinition {
  readonly file: string;
  readonly definition: Definition;
}

type Path = readonly PropertyKey[];

const OPTIONS = Object.keys(definitionEntries);
const DEFAULT_CACHE_SECONDS = 3600;

export function loadDefinitions(files: readonly string[], log: Logger): readonly LoadedDefinition[] {
  const loaded: LoadedDefinition[] = [];
  for (const path of files) {
    const file = guarded(log, () => readYamlFile(path, nullable(array(unknown()))));
    for (const reason of file?.warnings ?? []) log.warn({ reason }, 'definition has a key twice');
    for (const [at, item] of (file?.value ?? []).entries()) {
      const definition = file && guarded(log, () => compileAt(path, file, [at], item, log));
      if (definition !== undefined) loaded.push({ file: path, definition });
    }
  }
  return withoutRepeated(loaded, log);
}

function guarded<T>(log: Logger, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) !== 'ERR_CONFIG') throw error;
    const lines = error instanceof Error ? error.message.split('\n') : [describeError(error)];
    for (const reason of lines) log.error({ reason }, 'dynamic pollster is wrong and left out');
    return undefined;
  }
}

function compileAt(
  path: string,
  file: YamlFile<unknown>,
  at: Path,
  item: unknown,
  log: Logger,
  parent?: RawDefinition,
): Definition {
  const own = file.part(at, item, definitionSchema);
  for (const key of Object.keys(own)) {
    if (OPTIONS.includes(key)) continue;
    const meant = nearest(key, OPTIONS);
    const hint = meant === undefined ? '' : `, did you mean ${meant}`;
    log.warn(
      { reason: `${path}:${file.lineOf([...at, key])}: ${own.name}: unknown option ${key}${hint}` },
      'definition has an option that is not known',
    );
  }
  const raw = parent === undefined ? own : inherited(own, parent);
  const single = !Array.isArray(field(item, 'extra_metadata_fields'));
  const extra = (raw.extra_metadata_fields ?? []).map((inner, index): ExtraField => {
    const place = [...at, 'extra_metadata_fields', ...(single ? [] : [index])];
    const definition = compileAt(path, file, place, inner, log, raw);
    return {
      definition,
      cacheFor: 1000 * (numberIn(inner, 'extra_metadata_fields_cache_seconds') ?? cacheSeconds(raw)),
      skip: skipOf(file.part(place, inner, definitionSchema)) ?? skipOf(raw) ?? [],
    };
  });
  const where = (option: keyof RawDefinition) => `${path}:${file.lineOf([...at, option])}`;
  return compileDefinition({ raw, extra, nested: parent !== undefined, where });
}

function inherited(own: RawDefinition, parent: RawDefinition): RawDefinition {
  return {
    ...own,
    sample_type: own.sample_type ?? parent.sample_type,
    unit: own.unit ?? parent.unit,
    value_attribute: own.value_attribute ?? own.value ?? parent.value_attribute,
    extra_metadata_fields_skip: skipOf(own) ?? skipOf(parent),
    extra_metadata_fields_cache_seconds: own.extra_metadata_fields_cache_seconds ?? cacheSeconds(parent),
  };
}

const skipOf = (raw: RawDefinition) => raw.extra_metadata_fields_skip ?? undefined;
const cacheSeconds = (raw: RawDefinition) => raw.extra_metadata_fields_cache_seconds ?? DEFAULT_CACHE_SECONDS;

function field(item: unknown, key: string): unknown {
  return typeof item === 'object' && item !== null ? (item as Readonly<Record<string, unknown>>)[key] : undefined;
}

function numberIn(item: unknown, key: string): number | undefined {
  const value = field(item, key);
  return typeof value === 'number' ? value : undefined;
}

function withoutRepeated(loaded: readonly LoadedDefinition[], log: Logger): readonly LoadedDefinition[] {
  const kept = new Map<string, LoadedDefinition>();
  return loaded.filter((one) => {
    const keys = one.definition.namespaces.map((namespace) => `${namespace} ${one.definition.name}`);
    const earlier = keys.map((key) => kept.get(key)).find((other) => other !== undefined);
    if (earlier !== undefined) {
      const fields = { pollster: one.definition.name, file: one.file, kept: earlier.file };
      log.warn(fields, 'dynamic pollster is defined twice, the first is kept');
      return false;
    }
    for (const key of keys) kept.set(key, one);
    return true;
  });
}
