/** yargs as our commands use it: it says what is wrong in one line, and leaves ending the process to us. */
import type { Argv } from 'yargs';
import yargs from 'yargs';
import { UsageError } from './program.ts';
import { version } from './version.ts';

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
