import { isDeepStrictEqual } from 'node:util';
import { type Environment, environmentName, optionVariables } from './environment.ts';
import { findOption, isDeprecated, isKnownGroup, suggestGroup, suggestOption } from './known.ts';
import { notYet } from './option.ts';
import type { Outcome } from './resolve.ts';
import type { Entry, GroupHeader } from './sources.ts';

/** What is legible but probably not meant: misspelt names, deprecated ones. */
export function reviewNames(
  groups: readonly GroupHeader[],
  entries: readonly Entry[],
  env: Environment,
): readonly string[] {
  const warnings: string[] = [];
  const seen = new Set<string>();
  for (const { group, where } of groups) {
    // Groups that resemble none may belong to a plugin, or to another program that shares the file.
    const near = isKnownGroup(group) || seen.has(group) ? undefined : suggestGroup(group);
    if (near !== undefined) warnings.push(`${where}: unknown group [${group}], did you mean [${near}]`);
    seen.add(group);
  }
  for (const { group, key, where } of entries) {
    const known = findOption(group, key);
    if (known === undefined) {
      if (isKnownGroup(group)) warnings.push(`${where}: [${group}] ${key}: unknown option${suggestOption(group, key)}`);
    } else if (isDeprecated(group, key)) {
      warnings.push(`${where}: [${group}] ${key}: deprecated, use [${known.group}] ${known.name}`);
    }
  }
  return [...warnings, ...reviewEnvironment(env)];
}

function reviewEnvironment(env: Environment): readonly string[] {
  return optionVariables(env).flatMap(({ variable, group, name }) => {
    const known = findOption(group, name);
    const near = isKnownGroup(group) ? undefined : suggestGroup(group);
    if (near !== undefined)
      return [`environment variable ${variable}: unknown group [${group}], did you mean [${near}]`];
    if (!isKnownGroup(group) || (known?.group === group && known.name === name)) return [];
    const meant =
      known === undefined ? suggestOption(group, name) : `, use ${environmentName(known.group, known.name)}`;
    return [`environment variable ${variable}: [${group}] ${name}: unknown option${meant}`];
  });
}

/** One line for each group and reason, about options that were set to something else than their default in vain. */
export function reviewEffects(outcomes: readonly Outcome[]): readonly string[] {
  const names = new Map<string, string[]>();
  const lines: { group: string; reason: string; names: string[] }[] = [];
  for (const { known, value, set } of outcomes) {
    const { group, name, option } = known;
    if (!set || option.noEffect === undefined || isDeepStrictEqual(value, option.default)) continue;
    const key = `${group}\n${option.noEffect}`;
    const together = names.get(key);
    if (together === undefined) {
      const first = [name];
      names.set(key, first);
      lines.push({ group, reason: option.noEffect, names: first });
    } else together.push(name);
  }
  return lines.map(({ group, reason, names: set }) => {
    const verb = set.length === 1 ? 'is set but has' : 'are set but have';
    const why = reason === notYet ? 'in this version' : `here: ${reason}`;
    return `[${group}] ${set.join(', ')} ${verb} no effect ${why}`;
  });
}
