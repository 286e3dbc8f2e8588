import { nearest } from '../util/nearest.ts';
import type { Option, OptionGroup } from './option.ts';
import { options } from './options.ts';

/** One row of the table with its name. */
export interface KnownOption {
  readonly group: string;
  readonly name: string;
  readonly option: Option;
}

export type Spelling = readonly [group: string, name: string];

/** The table as rows, in its order. */
export const knownOptions: readonly KnownOption[] = Object.entries<OptionGroup>(options).flatMap(([group, rows]) =>
  Object.entries(rows).map(([name, option]) => ({ group, name, option })),
);

const bySpelling = new Map<string, KnownOption>();
const deprecatedSpellings = new Set<string>();
const namesByGroup = new Map<string, string[]>();

for (const known of knownOptions) {
  const { alias = [], deprecated = [] } = known.option;
  for (const [group, name] of [[known.group, known.name], ...alias, ...deprecated] as const satisfies Spelling[]) {
    bySpelling.set(`${group}.${name}`, known);
    namesByGroup.set(group, namesByGroup.get(group) ?? []);
  }
  for (const [group, name] of deprecated) deprecatedSpellings.add(`${group}.${name}`);
  namesByGroup.get(known.group)?.push(known.name);
}

/** The option that a file means by a group and a key, under whatever name. */
export function findOption(group: string, name: string): KnownOption | undefined {
  return bySpelling.get(`${group}.${name}`);
}

export function isDeprecated(group: string, name: string): boolean {
  return deprecatedSpellings.has(`${group}.${name}`);
}

export function isKnownGroup(group: string): boolean {
  return namesByGroup.has(group);
}

/** Under which names an option may be set; the first counts most. */
export function spellings({ group, name, option }: KnownOption): readonly Spelling[] {
  return [[group, name], ...(option.alias ?? []), ...(option.deprecated ?? [])];
}

/** `, did you mean ...` for a key that no option has; empty when nothing comes near. */
export function suggestOption(group: string, name: string): string {
  const elsewhere = knownOptions.find((known) => known.name === name);
  if (elsewhere !== undefined) return `, did you mean [${elsewhere.group}] ${name}`;
  const near = nearest(name, namesByGroup.get(group) ?? []);
  return near === undefined ? '' : `, did you mean ${near}`;
}

export function suggestGroup(group: string): string | undefined {
  return nearest(group, Object.keys(options));
}
