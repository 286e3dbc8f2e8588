/** What the programs share: reading their configuration, the log, lists, exit codes. */
import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError, codeOf, describeError } from '../errors.ts';
import { createLog, type Log, type LogSettings } from '../log.ts';

/**
 * Exit codes that scripts rely on, and the systemd units, which start again what a bug has ended and not what cannot
 * start. That of a bug is the one of sysexits.h.
 */
export const exitCodes = { ok: 0, cannotStart: 1, pollsterFailed: 2, undelivered: 3, bug: 70 } as const;

/** What somebody else has to mend. */
const FORESEEN = new Set(['ERR_CONFIG', 'ERR_SERVICE', 'ERR_INTERRUPTED']);

const DEFAULT_FILES = ['/etc/ceilometer/ceilometer.conf'];
const DEFAULT_DIRS = ['/etc/ceilometer/ceilometer.conf.d'];

export class UsageError extends Error {}

export interface ConfigArguments {
  readonly configFile?: string[] | undefined;
  readonly configDir?: string[] | undefined;
  readonly debug?: boolean | undefined;
  readonly logFile?: string | undefined;
}

/** Reads the configuration that the arguments name; throws `ERR_CONFIG` with a line for each mistake. */
export function readConfig(args: ConfigArguments): LoadedConfig {
  return loadConfig({
    files: args.configFile ?? [],
    dirs: args.configDir ?? [],
    defaultFiles: DEFAULT_FILES,
    defaultDirs: DEFAULT_DIRS,
    env: process.env,
    overrides: { default: { debug: args.debug, logFile: args.logFile } },
  });
}

/** What is found wrong with an option once it is used, with the file and line where it stands. */
export async function withPlaces<T>({ config }: LoadedConfig, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (err) {
    if (codeOf(err) !== 'ERR_CONFIG' || !(err instanceof Error)) throw err;
    const placed = err.message.replace(/^\[(\w+)\] (\w+)/gm, (_, group: string, name: string) =>
      config.place(group, name),
    );
    throw new ConfigError(placed, { cause: err.cause });
  }
}

/** Where a daemon keeps what survives it; undefined where neither the configuration nor systemd says so. */
export function stateFolder({ config }: LoadedConfig): string | undefined {
  // systemd may name several directories.
  const [fromSystemd] = (process.env['STATE_DIRECTORY'] ?? '').split(':');
  return (config.default.statePath ?? fromSystemd) || undefined;
}

export function openLog(program: string, { config, warnings }: LoadedConfig): Log {
  const log = createLog(logSettings(program, config.default));
  tell(log, warnings);
  return log;
}

/** Logs what is odd about a configuration, at the start and at each reload. */
export function tell(log: Log, warnings: readonly string[]): void {
  for (const warning of warnings) log.warn({ detail: warning }, 'configuration');
}

/** As oslo.log: a relative `log_file` is in `log_dir`, and `log_dir` alone means the program's own name there. */
function logSettings(program: string, options: LoadedConfig['config']['default']): LogSettings {
  const { debug, logDir = '', logFile, useJson, useStderr } = options;
  const file = logFile ?? (logDir === '' ? undefined : `${program}.log`);
  return {
    level: debug ? 'debug' : 'info',
    file: file === undefined ? undefined : resolve(logDir, file),
    stderr: useStderr,
    json: useJson,
  };
}

/** Repeated and comma-separated values alike; one that is said again counts once, and is told of. */
export function listValues(option: string, values: readonly string[] | undefined, warn: (text: string) => void) {
  if (values === undefined) return undefined;
  const all = values.flatMap((value) => value.split(',')).map((value) => value.trim());
  const unique = [...new Set(all.filter((value) => value !== ''))];
  for (const value of unique) {
    if (all.filter((other) => other === value).length > 1) warn(`--${option} names ${value} more than once`);
  }
  return unique;
}

/** What a plugin forgets, it forgets in every cycle. */
const MOST_TOLD = 100;

/** Runs a command to its exit code. What it rejects with is one line, or a line for each mistake, on standard error. */
export async function runMain(name: string, main: () => Promise<number>): Promise<void> {
  const told = new Set<string>();
  // A promise that a plugin forgot harms nobody else; after an exception outside of any promise nothing is sure.
  process.on('unhandledRejection', (err) => {
    const place = err instanceof Error ? (err.stack ?? err.message) : String(err);
    if (told.has(place) || told.size >= MOST_TOLD) return;
    told.add(place);
    console.error(`${name}: a rejection that nobody handles (told once):`, err);
  });
  process.on('uncaughtException', (err) => {
    console.error(`${name}: this is a bug:`, err);
    process.exit(exitCodes.bug);
  });
  process.on('beforeExit', () => {
    console.error(`${name}: this is a bug: it waits for something that cannot come`);
    process.exit(exitCodes.bug);
  });
  let code: number;
  try {
    code = await main();
  } catch (err) {
    report(name, err);
    code = exitCodeOf(err);
  }
  // A plugin's forgotten timer must not keep an agent alive that has ended.
  process.exit(code);
}

function report(name: string, err: unknown): void {
  if (err instanceof UsageError) console.error(`${name}: ${err.message} (see ${name} --help)`);
  else if (codeOf(err) === 'ERR_CONFIG' && err instanceof Error) {
    for (const line of err.message.split('\n')) console.error(`${name}: ${line}`);
  } else if (codeOf(err)?.startsWith('ERR_')) console.error(`${name}: ${describeError(err)}`);
  else console.error(`${name}:`, err);
}

function exitCodeOf(err: unknown): number {
  const isForeseen = err instanceof UsageError || FORESEEN.has(codeOf(err) ?? '');
  return isForeseen ? exitCodes.cannotStart : exitCodes.bug;
}
