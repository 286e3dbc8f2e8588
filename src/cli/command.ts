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
      throw error ?? new UsageError(inOneLine(message));
    });
}

/** yargs takes three lines to say that a value is none of the choices. */
function inOneLine(message: string): string {
  const [, name, given, choices] =
    /^Invalid values:\n\s+Argument: (.*), Given: (.*), Choices: (.*)/.exec(message) ?? [];
  if (name === undefined) return message.replace(/\s*\n\s*/g, '; ');
  const dashes = name.length > 1 ? '--' : '-';
  return `${dashes}${name}: expected one of ${choices?.replaceAll('"', '')}, got ${given}`;
}
