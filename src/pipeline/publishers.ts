/** The publishers of one pipeline file: one for each URL, whoever names it. */
import { PLUGIN_PATIENCE } from '../agent/external-plugins.ts';
import { ConfigError, describeError } from '../errors.ts';
import type { Host, Publisher, PublisherFactory } from '../plugin.ts';
import { within } from '../util/scope.ts';
import type { PipelineFile, PipelineKind } from './pipeline-file.ts';
import { parsePublisherUrl } from './publisher-url.ts';

export interface LoadedPublisher {
  /** Its URL without a password. */
  readonly name: string;
  readonly publisher: Publisher;
}

export type PublisherFactories = ReadonlyMap<string, PublisherFactory>;

/** Throws {@link ConfigError} with one line for each URL that is wrong; closes what it made by then. */
export async function loadPublishers(
  kind: PipelineKind,
  file: PipelineFile,
  factories: PublisherFactories,
  host: Host,
): Promise<ReadonlyMap<string, LoadedPublisher>> {
  const loaded = new Map<string, LoadedPublisher>();
  const mistakes: string[] = [];
  for (const sink of file.sinks) {
    for (const [index, url] of sink.publishers.entries()) {
      if (loaded.has(url)) continue;
      try {
        loaded.set(url, await loadPublisher(kind, url, factories, host));
      } catch (error) {
        mistakes.push(`${sink.where[index] ?? file.path}: ${describeError(error)}`);
      }
    }
  }
  if (mistakes.length === 0) return loaded;
  await closePublishers(loaded);
  throw new ConfigError(mistakes.join('\n'));
}

async function loadPublisher(
  kind: PipelineKind,
  text: string,
  factories: PublisherFactories,
  host: Host,
): Promise<LoadedPublisher> {
  const url = parsePublisherUrl(text);
  const factory = factories.get(url.scheme);
  if (factory === undefined) {
    const known = [...factories.keys()].sort().join(', ');
    throw new ConfigError(`${url.shown}: no publisher is named ${url.scheme} (known: ${known})`);
  }
  const publisher = await within(PLUGIN_PATIENCE, `the factory of ${url.shown}`, () => factory(url, host));
  const method = kind === 'sample' ? publisher.publishSamples : publisher.publishEvents;
  if (method !== undefined) return { name: url.shown, publisher };
  await publisher.close();
  throw new ConfigError(`${url.shown}: this publisher takes no ${kind}s`);
}

export async function closePublishers(publishers: ReadonlyMap<string, LoadedPublisher>): Promise<void> {
  await Promise.all([...publishers.values()].map(({ publisher }) => publisher.close()));
}
