/**
 * The command line of a daemon. yargs reads it in full, and has the words for --help and for mistakes; but to load it
 * takes a fifth of an agent's start and 6 MB for good. Its parser alone is small, and reads what is right as yargs
 * does.
 */
import type { InferredOptionTypes, Options } from 'yargs';
import parser from 'yargs-parser';

/** Options by their names, as yargs takes them: texts, lists of texts, switches. */
type OptionTable = Readonly<
  Record<string, Options & { readonly type: 'string' | 'boolean'; readonly describe: string }>
>;

type CamelCase<S> = S extends `${infer A}-${infer B}` ? `${A}${Capitalize<CamelCase<B>>}` : S;

/** Their values, by their names in camel case. */
export type ArgumentsOf<T extends OptionTable> = {
  readonly [K in keyof T as CamelCase<K>]: InferredOptionTypes<T>[K];
};

export interface CommandLine<T extends OptionTable> {
  readonly name: string;
  /** A sentence for --help. */
  readonly purpose: string;
  readonly options: T;
}

/** Of every command that reads a configuration. */
export const configOptions = {
  'config-file': { type: 'string', array: true, requiresArg: true, describe: 'Read this ceilometer.conf' },
  'config-dir': { type: 'string', array: true, requiresArg: true, describe: 'Read its *.conf after the files' },
  debug: { type: 'boolean', describe: 'Log at level debug' },
  'log-file': { type: 'string', requiresArg: true, describe: 'Log to this file, not to standard error' },
} as const satisfies OptionTable;

/** Undefined where it printed what --help or --version asked for. Rejects with one line that says what is wrong. */
export async function readCommandLine<T extends OptionTable>(
  line: CommandLine<T>,
  argv: readonly string[],
): Promise<ArgumentsOf<T> | undefined> {
  const plain = readPlainly(line.options, argv);
  if (plain !== undefined) return plain;
  const { command } = await import('./command.ts');
  const args = await command(line.name, argv)
    .usage(`$0 [options]\n\n${line.purpose}`)
    .options(line.options)
    .parseAsync();
  // yargs has printed what was asked for.
  return 'help' in args || 'version' in args ? undefined : argumentsOf(line.options, args);
}

/** Undefined where there is anything that yargs has to judge. */
export function readPlainly<T extends OptionTable>(options: T, argv: readonly string[]): ArgumentsOf<T> | undefined {
  const entries = Object.entries(options);
  const namesOf = (wanted: (option: Options) => unknown) =>
    entries.filter(([, option]) => wanted(option)).map(([name]) => name);
  const { argv: args, error } = parser.detailed([...argv], {
    string: namesOf(({ type }) => type === 'string'),
    boolean: namesOf(({ type }) => type === 'boolean'),
    array: namesOf(({ array }) => array),
    // yargs' own way to say that each time a value has to follow.
    narg: Object.fromEntries(namesOf(({ requiresArg }) => requiresArg).map((name) => [name, Number.NaN])),
    configuration: { 'camel-case-expansion': false, 'dot-notation': false },
  });
  const { _: rest, ...given } = args;
  if (error !== null || rest.length > 0) return undefined;
  const isPlain = Object.entries(given).every(([name, value]) => {
    const option = options[name];
    return option !== undefined && isValueOf(option, value);
  });
  return isPlain ? argumentsOf(options, given) : undefined;
}

/** An option that came twice is a list, one that lacks its value an empty text. */
function isValueOf({ type, array, choices }: Options, value: unknown): boolean {
  if (type === 'boolean') return typeof value === 'boolean';
  const isText = (one: unknown) =>
    typeof one === 'string' && one !== '' && (choices === undefined || choices.includes(one));
  return array ? Array.isArray(value) && value.length > 0 && value.every(isText) : isText(value);
}

function argumentsOf<T extends OptionTable>(options: T, given: Readonly<Record<string, unknown>>): ArgumentsOf<T> {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [
      name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
      given[name] ?? option.default,
    ]),
  ) as ArgumentsOf<T>;
}
