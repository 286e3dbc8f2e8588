import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { ConfigError } from '../errors.ts';
import { nearest } from '../util/nearest.ts';
import { mapping, name, names } from './schema.ts';
import { findFile } from './sources.ts';
import { expectedGot, readYamlFile, type YamlFile } from './yaml.ts';

/** A selection of meters that is polled at one interval. */
export interface PollingSource {
  readonly name: string;
  /** Seconds. */
  readonly interval: number;
  /** Never empty; see `supports` in match.ts. */
  readonly meters: readonly string[];
  /** Static resources; they join what is discovered. */
  readonly resources: readonly string[];
  /** Discoveries to use in place of the pollsters' own, as `scheme://parameter`. */
  readonly discovery: readonly string[];
  /** Names the group in which its pollsters are shared, with its place in the file. */
  readonly groupExpression?: { readonly text: string; readonly where: string };
  /** The file, and the line where it starts. */
  readonly where: string;
}

export interface LoadedPolling {
  readonly sources: readonly PollingSource[];
  /** One line each. */
  readonly warnings: readonly string[];
}

/** What comes with this package, for a machine without a file of its own. */
const SHIPPED = fileURLToPath(new URL('../../etc/ceilometer/polling.yaml', import.meta.url));
const SHIPPED_NAME = 'polling.yaml';
/** The longest that a timer can wait: 24 days. */
const LONGEST_INTERVAL = 2_147_483;

const optionalNames = v.nullish(names, []);

/** Upstream takes what Python's int() takes. */
function secondsOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\s*\+?\d+\s*$/.test(value) ? Number(value) : value;
  const whole = typeof seconds === 'number' && Number.isInteger(seconds);
  return whole && seconds > 0 && seconds <= LONGEST_INTERVAL ? seconds : undefined;
}

/** A list of meters or event types to select. */
export const selection = v.pipe(
  v.unknown(),
  // Upstream takes a text for its letters, which for this one are what it means.
  v.transform((value) => (value === '*' ? ['*'] : value)),
  names,
  v.rawCheck(({ dataset, addIssue }) => {
    const mistake = dataset.typed ? mistakeInSelection(dataset.value) : undefined;
    if (mistake !== undefined) addIssue({ message: mistake });
  }),
);

const expression = 'group_id_coordination_expression';

const sourceEntries = {
  name,
  interval: v.pipe(
    v.custom<number | string>(
      (value) => secondsOf(value) !== undefined,
      ({ input }) => expectedGot(`a whole number of seconds from 1 to ${LONGEST_INTERVAL}`, input),
    ),
    v.transform(Number),
  ),
  meters: selection,
  resources: optionalNames,
  discovery: optionalNames,
  [expression]: v.pipe(
    v.optional(v.unknown()),
    v.transform((value) => (value === null || value === undefined || value === '' ? undefined : String(value))),
  ),
};

const pollingSchema = mapping({ sources: v.array(mapping(sourceEntries)) });

type Polling = v.InferOutput<typeof pollingSchema>;

/** The rules of upstream's Source.check_source_filtering: what is neither excluded nor starts with `*` is included. */
function mistakeInSelection(meters: readonly string[]): string | undefined {
  const included = meters.find((meter) => !meter.startsWith('!') && !meter.startsWith('*'));
  const excluded = meters.find((meter) => meter.startsWith('!'));
  if (meters.length === 0) return expectedGot('at least one meter', meters);
  if (included !== undefined && excluded !== undefined) {
    return `expected included or excluded meters, got both "${included}" and "${excluded}"`;
  }
  if (included !== undefined && meters.includes('*'))
    return `expected either "*" or names, got both "*" and "${included}"`;
  return undefined;
}

/**
 * The file that `[polling] cfg_file` means. Where there is none under the default name, it is the one that comes
 * with this package; throws {@link ConfigError} for any other name.
 */
export function findPollingFile(cfgFile: string, searchPath: readonly string[]): string {
  const found = findFile(cfgFile, searchPath);
  if (found !== undefined) return found;
  if (cfgFile === SHIPPED_NAME) return SHIPPED;
  throw new ConfigError(`[polling] cfg_file: ${cfgFile} does not exist, nor is it in ${searchPath.join(', ')}`);
}

/** Reads a polling file. Throws {@link ConfigError} with one line for each mistake. */
export function loadPolling(path: string): LoadedPolling {
  const file = readYamlFile(path, pollingSchema);
  const taken = new Set<string>();
  const sources = file.value.sources.map(({ [expression]: text, name, interval, meters, resources, discovery }, at) => {
    const where = `${path}:${file.lineOf(['sources', at])}`;
    const source = { name: distinct(name, taken), interval, meters, resources, discovery, where };
    if (text === undefined) return Object.freeze(source);
    const expressed = `${path}:${file.lineOf(['sources', at, expression])}: sources[${at}].${expression}`;
    return Object.freeze({ ...source, groupExpression: { text, where: expressed } });
  });
  return { sources, warnings: review(path, file) };
}

/** Upstream does not mind two sources of one name. Here a name is part of the ids of samples. */
function distinct(name: string, taken: Set<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name} (${number})`;
  taken.add(free);
  return free;
}

function review(path: string, file: YamlFile<Polling>): readonly string[] {
  const warnings = [...file.warnings];
  const names = new Set<string>();
  const warn = (where: readonly PropertyKey[], text: string): void => {
    warnings.push(`${path}:${file.lineOf(where)}: ${text}`);
  };
  const unknown = (key: string, known: readonly string[]): string => {
    const meant = nearest(key, known);
    return `unknown key ${key}${meant === undefined ? '' : `, did you mean ${meant}`}`;
  };
  for (const key of Object.keys(file.value)) if (key !== 'sources') warn([key], unknown(key, ['sources']));
  if (file.value.sources.length === 0) warn(['sources'], 'sources: the list is empty, so nothing is polled');
  const known = Object.keys(sourceEntries);
  for (const [at, source] of file.value.sources.entries()) {
    if (names.has(source.name)) {
      warn(['sources', at, 'name'], `sources[${at}].name: another source has the name "${source.name}" already`);
    }
    names.add(source.name);
    for (const key of Object.keys(source)) {
      const where = ['sources', at, key];
      if (!known.includes(key)) warn(where, `sources[${at}]: ${unknown(key, known)}`);
    }
  }
  return warnings;
}
