/** `pipeline.yaml` and `event_pipeline.yaml`: sources select, sinks publish. */
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { selection } from '../config/polling.ts';
import { mapping, name, names, stepTo, uniqueNames } from '../config/schema.ts';
import { findFile } from '../config/sources.ts';
import { readYamlFile } from '../config/yaml.ts';
import { ConfigError } from '../errors.ts';
import { nearest } from '../util/nearest.ts';

export type PipelineKind = 'sample' | 'event';

interface PipelineSource {
  readonly name: string;
  /** Meters or event types; see `supports` in match.ts. */
  readonly selection: readonly string[];
  readonly sinks: readonly string[];
}

interface PipelineSink {
  readonly name: string;
  /** URLs. */
  readonly publishers: readonly string[];
  /** Where each of the publishers is written: `path:line`. */
  readonly where: readonly string[];
}

export interface PipelineFile {
  readonly path: string;
  readonly sources: readonly PipelineSource[];
  readonly sinks: readonly PipelineSink[];
  /** One line each. */
  readonly warnings: readonly string[];
}

const shipped: Readonly<Record<PipelineKind, string>> = { sample: 'pipeline.yaml', event: 'event_pipeline.yaml' };
const selectionKey: Readonly<Record<PipelineKind, 'meters' | 'events'>> = { sample: 'meters', event: 'events' };

/** The file that an option means; where there is none under the default name, the one that comes with this package. */
export function findPipelineFile(kind: PipelineKind, name: string, searchPath: readonly string[]): string {
  const found = findFile(name, searchPath);
  if (found !== undefined) return found;
  if (name === shipped[kind]) return fileURLToPath(new URL(`../../etc/ceilometer/${name}`, import.meta.url));
  throw new ConfigError(`${name} does not exist, nor is it in ${searchPath.join(', ')}`);
}

const atLeastOne = v.pipe(names, v.nonEmpty('expected at least one'));
const unique = <T extends { readonly name: string }>() =>
  uniqueNames<T>((name) => `the name "${name}" is taken already`);

const meterSource = v.pipe(
  mapping({ name, sinks: atLeastOne, meters: selection }),
  v.transform((source) => ({ ...source, selection: source.meters })),
);
const eventSource = v.pipe(
  mapping({ name, sinks: atLeastOne, events: selection }),
  v.transform((source) => ({ ...source, selection: source.events })),
);

function fileSchema(kind: PipelineKind) {
  const source: typeof meterSource | typeof eventSource = kind === 'sample' ? meterSource : eventSource;
  return v.pipe(
    mapping({
      sources: v.pipe(v.array(source), unique()),
      sinks: v.pipe(v.array(mapping({ name, publishers: atLeastOne })), unique()),
    }),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const { sources, sinks } = dataset.value;
      const known = sinks.map((item) => item.name);
      for (const [at, entry] of sources.entries()) {
        for (const [index, item] of entry.sinks.entries()) {
          if (known.includes(item)) continue;
          const near = nearest(item, known);
          const hint = near === undefined ? '' : `, did you mean ${near}`;
          addIssue({
            message: `no sink is named ${item}${hint}`,
            path: [
              stepTo(dataset.value, 'sources'),
              stepTo(sources, at),
              stepTo(entry, 'sinks'),
              stepTo(entry.sinks, index),
            ],
          });
        }
      }
    }),
  );
}

/** Throws {@link ConfigError} with one line for each mistake. */
export function readPipelineFile(kind: PipelineKind, path: string): PipelineFile {
  const { value, lineOf, warnings: repeated } = readYamlFile(path, fileSchema(kind));
  const warnings = [...repeated];
  const review = (where: readonly PropertyKey[], entry: object, known: readonly string[]) => {
    for (const key of Object.keys(entry)) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      const hint = near === undefined ? '' : `, did you mean ${near}`;
      warnings.push(`${path}:${lineOf([...where, key])}: unknown key ${key}${hint}`);
    }
  };
  review([], value, ['sources', 'sinks']);
  value.sources.forEach((entry, index) => {
    review(['sources', index], entry, ['name', 'sinks', 'selection', selectionKey[kind]]);
  });
  value.sinks.forEach((entry, index) => {
    review(['sinks', index], entry, ['name', 'publishers']);
  });
  return {
    path,
    sources: value.sources.map(({ name, selection, sinks }) => ({ name, selection, sinks })),
    sinks: value.sinks.map(({ name, publishers }, at) => ({
      name,
      publishers,
      where: publishers.map((_, index) => `${path}:${lineOf(['sinks', at, 'publishers', index])}`),
    })),
    warnings,
  };
}
