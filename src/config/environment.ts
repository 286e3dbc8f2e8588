import { groupName } from './sources.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which variable sets an option. */
export function environmentName(group: string, name: string): string {
  return `OS_${group.toUpperCase()}__${name.toUpperCase()}`;
}

export interface Variable {
  readonly variable: string;
  readonly group: string;
  readonly name: string;
  readonly value: string;
}

/** The variables that have the form of an option's. */
export function optionVariables(env: Environment): readonly Variable[] {
  return Object.entries(env).flatMap(([variable, value]) => {
    const [, group, name] = /^OS_([A-Z0-9_]+?)__([A-Z0-9_]+)$/.exec(variable) ?? [];
    if (group === undefined || name === undefined || value === undefined) return [];
    return [{ variable, group: groupName(group), name: name.toLowerCase(), value }];
  });
}
