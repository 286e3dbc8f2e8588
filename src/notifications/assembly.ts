/** Puts together what one reading of the configuration says: endpoints, events, pipelines. */

import { fileURLToPath } from 'node:url';
import { loadExternal, PLUGIN_PATIENCE } from '../agent/external-plugins.ts';
import { supports } from '../config/match.ts';
import type { Config } from '../config/options.ts';
import { findFile } from '../config/sources.ts';
import { ConfigError, codeOf, describeError } from '../errors.ts';
import {
  createEventPipelines,
  createSamplePipelines,
  type EventPipelines,
  type SamplePipelines,
} from '../pipeline/pipeline.ts';
import { findPipelineFile, type PipelineKind, readPipelineFile } from '../pipeline/pipeline-file.ts';
import { closePublishers, type LoadedPublisher, loadPublishers } from '../pipeline/publishers.ts';
import type { Factory, Host, NotificationEndpoint, PublisherFactory } from '../plugin.ts';
import { within } from '../util/scope.ts';
import type { TraitPlugins } from './definition.ts';
import { type EventConverter, loadEventConverter } from './event-converter.ts';
import { makesInstanceMeter } from './instance.ts';
import { METER, notificationMembers, valuesOf } from './members.ts';
import { meterDefinitionsEndpoint } from './meter-definitions.ts';
import { createProcessor, type NamedEndpoint, type Processor } from './processor.ts';

export interface Assembly {
  readonly processor: Processor;
  readonly samples: SamplePipelines | undefined;
  readonly events: EventPipelines | undefined;
  /** Names of what runs, for a log line. */
  readonly endpoints: readonly string[];
  readonly publishers: readonly string[];
  /** Closes the publishers. Called once, when nothing is being published. */
  close(): Promise<void>;
}

const SHIPPED_EVENTS = 'event_definitions.yaml';

/**
 * `own` are publishers, by URL scheme, in place of those that come with this package.
 * Throws {@link ConfigError} with one line for each mistake in any of the files.
 */
export async function assemble(
  host: Host,
  searchPath: readonly string[],
  own: Readonly<Record<string, PublisherFactory>> = {},
): Promise<Assembly> {
  const { config } = host;
  const external = await loadExternal(host.config.default.plugins, host.log);
  const members = notificationMembers(external, host.log);
  const kinds = pipelineKinds(config);
  const traits = valuesOf(members.traits);
  const factories = new Map([...valuesOf(members.publishers), ...Object.entries(own)]);
  const endpoints = kinds.includes('sample') ? await makeEndpoints(valuesOf(members.endpoints), traits, host) : [];
  const converter = kinds.includes('event') ? eventConverter(config, traits, searchPath) : undefined;
  const samples = kinds.includes('sample') ? await open('sample', host, factories, searchPath) : undefined;
  const events = kinds.includes('event')
    ? await open('event', host, factories, searchPath).catch(async (error: unknown) => {
        await samples?.close();
        throw error;
      })
    : undefined;
  return {
    processor: createProcessor(endpoints, converter),
    samples: samples && createSamplePipelines(samples.file, samples.publisher, host.log),
    events: events && createEventPipelines(events.file, events.publisher),
    endpoints: endpoints.map(({ name }) => name),
    publishers: [...(samples?.names ?? []), ...(events?.names ?? [])],
    async close() {
      await Promise.all([samples?.close(), events?.close()]);
    },
  };
}

function pipelineKinds(config: Config): readonly PipelineKind[] {
  return config.notification.pipelines.map((name) => {
    if (name === 'meter') return 'sample';
    if (name === 'event') return 'event';
    throw new ConfigError(`[notification] pipelines: expected meter or event, got ${name}`);
  });
}

async function makeEndpoints(
  factories: ReadonlyMap<string, Factory<NotificationEndpoint>>,
  plugins: TraitPlugins,
  host: Host,
): Promise<readonly NamedEndpoint[]> {
  const { config, log } = host;
  const active = (name: string) => supports(config.notification.endpoints, name);
  const endpoints: NamedEndpoint[] = [];
  for (const [name, factory] of factories) {
    if (!active(name)) continue;
    try {
      endpoints.push({ name, endpoint: await within(PLUGIN_PATIENCE, 'its factory', () => factory(host)) });
    } catch (error) {
      if (codeOf(error) === 'ERR_CONFIG') throw error;
      log.error({ endpoint: name, reason: describeError(error) }, 'an endpoint cannot run here and is left out');
    }
  }
  if (active(METER)) {
    const meters = meterDefinitionsEndpoint({
      directories: config.meter.meterDefinitionsDirs,
      plugins,
      reserved: config.default,
      source: config.default.sampleSource,
      log,
      ...(active('instance') ? { elsewhere: makesInstanceMeter } : {}),
    });
    endpoints.push({ name: METER, endpoint: meters });
  }
  return endpoints;
}

function eventConverter(config: Config, plugins: TraitPlugins, searchPath: readonly string[]): EventConverter {
  const name = config.event.definitionsCfgFile;
  const found = findFile(name, searchPath);
  if (found === undefined && name !== SHIPPED_EVENTS) {
    throw new ConfigError(
      `[event] definitions_cfg_file: ${name} does not exist, nor is it in ${searchPath.join(', ')}`,
    );
  }
  const shipped = fileURLToPath(new URL(`../../etc/ceilometer/${SHIPPED_EVENTS}`, import.meta.url));
  return loadEventConverter(found ?? shipped, {
    dropUnmatched: config.event.dropUnmatchedNotifications,
    storeRaw: config.event.storeRaw,
    plugins,
  });
}

async function open(
  kind: PipelineKind,
  host: Host,
  factories: ReadonlyMap<string, PublisherFactory>,
  searchPath: readonly string[],
) {
  const { pipelineCfgFile, eventPipelineCfgFile } = host.config.default;
  const path = findPipelineFile(kind, kind === 'sample' ? pipelineCfgFile : eventPipelineCfgFile, searchPath);
  const file = readPipelineFile(kind, path);
  for (const warning of file.warnings) host.log.warn({ detail: warning }, 'configuration');
  const publishers = await loadPublishers(kind, file, factories, host);
  return {
    file,
    names: [...publishers.values()].map(({ name }) => name),
    publisher(url: string): LoadedPublisher {
      const found = publishers.get(url);
      if (found === undefined) throw new ConfigError(`${path}: no publisher for ${url}`);
      return found;
    },
    close: () => closePublishers(publishers),
  };
}
