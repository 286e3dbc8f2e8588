/** What commands with subcommands share, on top of what all programs do. */
import type { Argv } from 'yargs';
import yargs from 'yargs';
import { configOptions } from './command-line.ts';
import { UsageError } from './program.ts';
import { version } from './version.ts';

export * from './program.ts';

/** A parser that says what is wrong in one line and leaves ending the process to us. */
export function command(name: string, args: readonly string[]): Argv {
  return yargs(args)
    .scriptName(name)
    .version(version)
    .exitProcess(false)
    .strict()
    .wrap(100)
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
}

/** `--config-file` and its kin, for every command that reads a configuration. */
export function withConfig<T>(parser: Argv<T>) {
  return parser.options(configOptions);
}
