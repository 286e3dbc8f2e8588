import { existsSync } from 'node:fs';
import { ConfigError } from '../errors.ts';
import { type Environment, optionVariables } from './environment.ts';
import { camelCase, type OptionValue, type Resolved } from './option.ts';
import type { Config, options } from './options.ts';
import { type Outcome, resolveOptions } from './resolve.ts';
import { reviewEffects, reviewNames } from './review.ts';
import { absolutePath, type Entry, groupName, readSources, searchDirectories } from './sources.ts';

type Values = Resolved<typeof options>;

/** What the command line says, by the names of {@link Config}; undefined is as good as absent. */
export type Overrides = {
  readonly [G in keyof Values]?: { readonly [K in keyof Values[G]]?: Values[G][K] | undefined };
};

/**
 * Where the configuration comes from. The later counts more, and over all of it the environment and the command line.
 */
export interface ConfigSources {
  /** `--config-file`: each has to exist. */
  readonly files: readonly string[];
  /** `--config-dir`: each has to exist; its `*.conf` are read by name, after the files. */
  readonly dirs: readonly string[];
  /** Read in place of `files` when there are none, as far as they exist. */
  readonly defaultFiles?: readonly string[];
  /** Read in place of `dirs` when there are none, as far as they exist. */
  readonly defaultDirs?: readonly string[];
  readonly env: Environment;
  readonly overrides?: Overrides;
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line each. */
  readonly warnings: readonly string[];
  /** The files that were read, absolute, in order. */
  readonly files: readonly string[];
  /** Where files that options name are looked for. */
  readonly searchPath: readonly string[];
}

const MOST_PROBLEMS = 50;

/** Throws {@link ConfigError} with one line for each mistake in any of the sources. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { env, overrides = {} } = sources;
  const existing = (paths: readonly string[] = []): readonly string[] =>
    paths.filter((path) => existsSync(absolutePath(path)));
  const configFiles = sources.files.length > 0 ? sources.files : existing(sources.defaultFiles);
  const dirs = sources.dirs.length > 0 ? sources.dirs : existing(sources.defaultDirs);

  const { entries, groups, files, problems } = readSources(configFiles, dirs);
  const given: Readonly<Record<string, Readonly<Record<string, OptionValue>>>> = overrides;
  const resolution = resolveOptions({
    entries,
    env,
    override: ({ group, name }) => given[camelCase(group)]?.[camelCase(name)],
  });
  const mistakes = [...problems, ...resolution.problems];
  const doubts = reviewNames(groups, entries, env);
  // Who mends a mistake wants to know of misspelt names in the same round.
  if (mistakes.length > 0) throw new ConfigError(listed([...mistakes, ...doubts]));
  const searchPath = searchDirectories(configFiles, dirs);
  return {
    config: build(resolution.outcomes, sections(entries, env), searchPath),
    warnings: [...doubts, ...resolution.warnings, ...reviewEffects(resolution.outcomes)],
    files,
    searchPath,
  };
}

function listed(mistakes: readonly string[]): string {
  const more = mistakes.length - MOST_PROBLEMS;
  return [...mistakes.slice(0, MOST_PROBLEMS), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

type Sections = ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;

function sections(entries: readonly Entry[], env: Environment): Sections {
  const groups = new Map<string, Map<string, string[]>>();
  for (const { group, key, value } of entries) {
    const keys = groups.get(group) ?? new Map<string, string[]>();
    groups.set(group, keys);
    keys.set(key, [...(keys.get(key) ?? []), value]);
  }
  for (const { group, name, value } of optionVariables(env)) {
    const keys = groups.get(group) ?? new Map<string, string[]>();
    groups.set(group, keys.set(name, [value]));
  }
  return new Map([...groups].map(([group, keys]) => [group, frozenRecord(keys)]));
}

/** Without a prototype: a key of the file may be named `constructor`. */
function frozenRecord(keys: ReadonlyMap<string, string[]>): Readonly<Record<string, readonly string[]>> {
  const record: Record<string, readonly string[]> = Object.create(null);
  for (const [key, values] of keys) record[key] = Object.freeze(values);
  return Object.freeze(record);
}

function build(outcomes: readonly Outcome[], written: Sections, searchPath: readonly string[]): Config {
  const groups: Record<string, Record<string, OptionValue>> = {};
  for (const { known, value } of outcomes) {
    if (known.option.noEffect !== undefined) continue;
    const group = groups[camelCase(known.group)] ?? {};
    groups[camelCase(known.group)] = group;
    group[camelCase(known.name)] = typeof value === 'object' ? Object.freeze([...value]) : value;
  }
  for (const group of Object.values(groups)) Object.freeze(group);
  const none = frozenRecord(new Map());
  const section = (name: string): Readonly<Record<string, readonly string[]>> => written.get(groupName(name)) ?? none;
  const place = (group: string, name: string): string => {
    const { where } = outcomes.find(({ known }) => known.group === group && known.name === name) ?? {};
    return `${where === undefined ? '' : `${where}: `}[${group}] ${name}`;
  };
  // The table is the source of both the values here and the type.
  return Object.freeze({ ...groups, section, place, searchPath: Object.freeze(searchPath) }) as Config;
}
