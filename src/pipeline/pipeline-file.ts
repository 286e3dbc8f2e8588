/** `pipeline.yaml` and `event_pipeline.yaml`: sources select, sinks publish. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { mistakeInSelection } from '../config/polling.ts';
import { findFile } from '../config/sources.ts';
import { expectedGot, readYamlFile } from '../config/yaml.ts';
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

const name = z.unknown().transform((value, context) => {
  if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return String(value);
  context.addIssue({ code: 'custom', message: expectedGot('a name', value) });
  return z.NEVER;
});
const names = z.array(z.string().min(1, { error: ({ input }) => expectedGot('a text', input) }));
const selection = names.superRefine((list, context) => {
  const mistake = mistakeInSelection(list);
  if (mistake !== undefined) context.addIssue({ code: 'custom', message: mistake });
});
const atLeastOne = names.min(1, { error: () => 'expected at least one' });
const uniqueNames = (items: readonly { name: string }[], context: z.RefinementCtx) => {
  for (const [index, item] of items.entries()) {
    if (items.findIndex((other) => other.name === item.name) === index) continue;
    context.addIssue({ code: 'custom', path: [index, 'name'], message: `the name "${item.name}" is taken already` });
  }
};
const sink = z.looseObject({ name, publishers: atLeastOne });

const meterSource = z
  .looseObject({ name, sinks: atLeastOne, meters: selection })
  .transform((source) => ({ ...source, selection: source.meters }));
const eventSource = z
  .looseObject({ name, sinks: atLeastOne, events: selection })
  .transform((source) => ({ ...source, selection: source.events }));

function fileSchema(kind: PipelineKind) {
  const source = kind === 'sample' ? meterSource : eventSource;
  return z
    .looseObject({
      sources: z.array<typeof meterSource | typeof eventSource>(source).superRefine(uniqueNames),
      sinks: z.array(sink).superRefine(uniqueNames),
    })
    .superRefine(({ sources, sinks }, context) => {
      const known = sinks.map((item) => item.name);
      for (const [at, { sinks: wanted }] of sources.entries()) {
        for (const [index, item] of wanted.entries()) {
          if (known.includes(item)) continue;
          const near = nearest(item, known);
          const hint = near === undefined ? '' : `, did you mean ${near}`;
          context.addIssue({
            code: 'custom',
            path: ['sources', at, 'sinks', index],
            message: `no sink is named ${item}${hint}`,
          });
        }
      }
    });
}

/** Throws {@link ConfigError} with one line for each mistake. */
export function readPipelineFile(kind: PipelineKind, path: string): PipelineFile {
  const { value, lineOf } = readYamlFile(path, fileSchema(kind));
  const warnings: string[] = [];
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
