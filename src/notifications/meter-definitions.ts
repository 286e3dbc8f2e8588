/** Meters that definition files find in notifications. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ConfigError, describeError } from '../errors.ts';
import type { Notification, NotificationSample } from '../notification.ts';
import type { Logger, NotificationEndpoint } from '../plugin.ts';
import { getKey } from '../python/value.ts';
import { remembered } from '../util/remembered.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import { DefinitionError, type TraitPlugins } from './definition.ts';
import { type DefinitionFile, readDefinitionFile } from './definition-file.ts';
import {
  createMeterCompiler,
  IncompleteLookup,
  type MetadataTemplate,
  type MeterDefinition,
} from './meter-definition.ts';
import { createIds, createSampleMaker } from './sample.ts';
import type { ReservedMetadata } from './user-metadata.ts';

export interface MeterDefinitionOptions {
  readonly directories: readonly string[];
  readonly plugins: TraitPlugins;
  readonly reserved: ReservedMetadata;
  readonly source: string;
  readonly log: Logger;
  /** Meters that another endpoint makes of this kind of event, better. */
  readonly elsewhere?: (meter: JsonValue, eventType: string) => boolean;
}

/** Where a definition that counts stands, and how it is written. */
interface Origin {
  readonly path: string;
  readonly entry: JsonValue;
}

/** The `*.yaml` of the directories in order; one that does not exist has none. */
function definitionFiles(directories: readonly string[]): readonly string[] {
  return directories.filter(existsSync).flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith('.yaml') && !name.startsWith('.'))
      .sort()
      .map((name) => join(directory, name)),
  );
}

/**
 * Reads the files. A definition that is wrong is left out with a warning, as upstream does; a file that is wrong as a
 * whole throws {@link ConfigError}. Of several definitions of one name, the last of the first file that has it counts.
 */
function loadMeterDefinitions(options: MeterDefinitionOptions): readonly MeterDefinition[] {
  const compiler = createMeterCompiler(options.plugins, options.reserved);
  const definitions = new Map<JsonValue, MeterDefinition>();
  const origins = new Map<JsonValue, Origin>();
  for (const path of definitionFiles(options.directories)) {
    const file = readDefinitionFile(path);
    const entries = meterEntries(file);
    const replaced: JsonValue[] = [];
    for (let index = entries.length - 1; index >= 0; index--) {
      const entry = entries[index] ?? null;
      const name = getKey(entry, 'name') ?? null;
      const origin = origins.get(name);
      if (origin?.path === path) {
        const where = `${path}:${file.lineOf(['metric', index])}`;
        options.log.warn({ where, meter: name }, 'a meter is defined again; this definition is left out');
      }
      if (origin !== undefined) {
        // An operator's file has the meters of the shipped one that it is a copy of, and changes some.
        if (origin.path !== path && !isDeepStrictEqual(origin.entry, entry)) replaced.push(name);
        continue;
      }
      try {
        definitions.set(name, compiler.compile(entry));
        origins.set(name, { path, entry });
      } catch (error) {
        if (!(error instanceof DefinitionError)) throw error;
        const place = `${path}:${file.lineOf(['metric', index, ...error.at])}`;
        options.log.error(
          { where: place, meter: name, reason: error.message },
          'a meter definition is wrong and left out',
        );
      }
    }
    if (replaced.length > 0) {
      options.log.info({ file: path, meters: replaced.reverse() }, 'meters are as files before this one define them');
    }
  }
  return [...definitions.values()];
}

function meterEntries({ path, value, lineOf }: DefinitionFile): readonly JsonValue[] {
  const metric = getKey(value, 'metric');
  if (isObject(value) && metric !== undefined && isList(metric)) return metric;
  throw new ConfigError(`${path}:${lineOf(['metric'])}: expected a mapping with a list named metric`);
}

/** The endpoint of all definitions: it looks at every notification. */
export function meterDefinitionsEndpoint(options: MeterDefinitionOptions): NotificationEndpoint {
  const definitions = loadMeterDefinitions(options);
  const incomplete = new Set<MeterDefinition>();
  const forEventType = remembered((eventType) =>
    definitions.filter(
      (definition) => definition.matches(eventType) && options.elsewhere?.(definition.name, eventType) !== true,
    ),
  );

  return {
    eventTypes: [],
    process(notification) {
      const matching = forEventType(notification.eventType);
      return matching.length === 0 ? [] : samplesOf(matching, notification);
    },
  };

  function samplesOf(matching: readonly MeterDefinition[], notification: Notification): readonly NotificationSample[] {
    const maker = createSampleMaker(notification, options.source, createIds(notification));
    const templates = new Map<MetadataTemplate, JsonObject>();
    const metadata = (template: MetadataTemplate): JsonObject => {
      let made = templates.get(template);
      if (made === undefined) {
        made = template(notification.body);
        templates.set(template, made);
      }
      return made;
    };
    const samples: NotificationSample[] = [];
    for (const definition of matching) {
      try {
        for (const sample of definition.samples(notification, maker, metadata)) samples.push(sample);
        incomplete.delete(definition);
      } catch (error) {
        if (!(error instanceof IncompleteLookup)) throw error;
        if (!incomplete.has(definition)) {
          const fields = { meter: definition.name, event_type: notification.eventType, reason: describeError(error) };
          options.log.warn(fields, 'the meters of a notification are incomplete and left out');
        }
        incomplete.add(definition);
      }
    }
    return samples;
  }
}
