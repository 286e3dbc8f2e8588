/** What a row of the option table says, and the types of the values that come out of it. */

interface Common {
  /** In plain text, a full sentence; goes into the documentation and the sample file. */
  readonly help: string;
  /** Other spellings that still work, with a warning: group and name. */
  readonly deprecated?: readonly (readonly [group: string, name: string])[];
  /** Other spellings that work as well, without a warning. */
  readonly alias?: readonly (readonly [group: string, name: string])[];
  /** The value never appears in a message. */
  readonly secret?: true;
  /**
   * Why setting it changes nothing; {@link notYet} where a later version will act on it. Left out of {@link Resolved}.
   */
  readonly noEffect?: string;
  /** Upstream has no such option. */
  readonly own?: true;
  /** Environment variables of which the first that is set is the default, as for OpenStack's clients. */
  readonly variables?: readonly string[];
  /** What the documentation shows where the default depends on the machine, or is not a value. */
  readonly shownDefault?: string;
}

export interface StringOption extends Common {
  readonly type: 'string';
  readonly default?: string;
  /** The only values allowed, in the spelling that the code sees. Case does not matter when `anyCase` is set. */
  readonly choices?: readonly string[];
  readonly anyCase?: true;
  readonly pattern?: { readonly matches: RegExp; readonly expected: string };
}

export interface NumberOption extends Common {
  readonly type: 'integer' | 'float';
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
}

interface BooleanOption extends Common {
  readonly type: 'boolean';
  readonly default?: boolean;
}

/** `list` is one value with commas; `multi` is the key repeated, over all files. */
interface ListOption extends Common {
  readonly type: 'list' | 'multi';
  readonly default: readonly string[];
}

export type Option = StringOption | NumberOption | BooleanOption | ListOption;
export type OptionGroup = Readonly<Record<string, Option>>;
export type OptionValue = string | number | boolean | readonly string[] | undefined;

/** The reason of options that a later version will act on. */
export const notYet = 'not yet';

interface Values {
  string: string;
  integer: number;
  float: number;
  boolean: boolean;
  list: readonly string[];
  multi: readonly string[];
}

type ValueOf<O> = O extends { choices: readonly (infer Choice)[] }
  ? Choice
  : O extends { type: infer T extends keyof Values }
    ? Values[T]
    : never;
type ResolvedOption<O> = O extends { default: unknown } ? ValueOf<O> : ValueOf<O> | undefined;

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
type Effective<G> = { [K in keyof G]: G[K] extends { noEffect: string } ? never : K }[keyof G];

/**
 * The values of a table. An option without effect is not there, so acting on one starts with taking its marker away.
 */
export type Resolved<T> = {
  readonly [G in keyof T & string as Effective<T[G]> extends never ? never : Camel<Lowercase<G>>]: {
    readonly [K in Effective<T[G]> & string as Camel<K>]: ResolvedOption<T[G][K]>;
  };
};

/** `batch_size` → `batchSize`, `DEFAULT` → `default`. */
export function camelCase(name: string): string {
  return (name === 'DEFAULT' ? 'default' : name).replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
