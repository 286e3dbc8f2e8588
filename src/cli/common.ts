/** What commands with subcommands share, on top of what all programs do. */
import type { Argv } from 'yargs';
import { configOptions } from './command-line.ts';

export { command } from './command.ts';
export * from './program.ts';

/** What `ceilometer up` shows of each cycle. */
export const upOutputs = ['lines', 'table', 'none'] as const;

/** `--config-file` and its kin, for every command that reads a configuration. */
export function withConfig<T>(parser: Argv<T>) {
  return parser.options(configOptions);
}
