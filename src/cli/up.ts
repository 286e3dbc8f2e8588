/** `ceilometer up`: the whole system on this machine, in one process and without any configuration. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createGeneration } from '../agent/generation.ts';
import { runService } from '../agent/service.ts';
import { StateStore } from '../agent/state-store.ts';
import { type OpenCollector, openCollector } from '../collector/open.ts';
import { pageAssets } from '../collector/page/page.ts';
import { DATABASE_FILE } from '../collector/store/open.ts';
import type { LoadedConfig } from '../config/load.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError, codeOf } from '../errors.ts';
import { libvirtAnswers, libvirtUri } from '../libvirt/index.ts';
import { createLog, type Log } from '../log.ts';
import { createBoth } from '../output/both.ts';
import { createFinishing } from '../output/finishing.ts';
import { createNoneOutput } from '../output/none.ts';
import type { Output } from '../output/output.ts';
import { createTableOutput } from '../output/table.ts';
import { earlySignal } from '../util/early-signals.ts';
import { createSystemdNotify } from '../util/sd-notify.ts';
import type { upOutputs } from './common.ts';
import { type ConfigArguments, exitCodes, tell, UsageError } from './program.ts';
import { openTransport } from './up-transport.ts';
import { version } from './version.ts';

export interface UpArguments extends ConfigArguments {
  /** Seconds. */
  readonly interval: number;
  readonly port?: number | undefined;
  readonly transportUrl?: string | undefined;
  readonly output: (typeof upOutputs)[number];
}

/** Milliseconds that a libvirt on this machine has to answer. */
const PATIENCE = 1000;
/** Milliseconds that the store, a broker and publishers have, after Ctrl-C, to take what was polled. */
const LAST_WORDS = 1000;

export async function up(args: UpArguments): Promise<number> {
  checkArguments(args);
  const loaded = readUpConfig(args);
  const { config } = loaded;
  const log = createLog({ level: args.debug ? 'debug' : 'warn', file: args.logFile, stderr: true, json: false });
  tell(log, loaded.warnings);
  const uri = libvirtUri(config);
  const kill = new AbortController();
  const folder = config.default.statePath ?? userStateFolder(process.env);
  const [compute, collecting] = await Promise.all([
    libvirtAnswers(uri, PATIENCE),
    open(loaded, { folder, log, kill: kill.signal }),
  ]);
  const transport = openTransport(args.transportUrl === undefined ? undefined : loaded, collecting.collector, log);
  const shown = createBoth(transport.output, terminal(args.output));
  const output = createFinishing(await withPipelines(shown, loaded, log), LAST_WORDS);
  const states = new StateStore({ log });
  const source = {
    name: 'up',
    interval: args.interval,
    meters: ['*'],
    resources: [],
    discovery: [],
    where: 'ceilometer up',
  };
  const generation = () =>
    createGeneration({
      loaded,
      sources: [source],
      namespaces: compute ? ['host', 'compute'] : ['host'],
      pollsterList: undefined,
      openOutput: () => ({ value: output, release: async () => {} }),
      states,
      stateFolder: undefined,
      log,
    });
  try {
    const first = await generation();
    if (earlySignal() !== undefined) {
      await first.close();
      return exitCodes.ok;
    }
    console.log(`Page     ${collecting.api.url}/`);
    console.log(
      `Polling  ${config.default.host} every ${args.interval} s: ` +
        (compute ? `the host, and the virtual machines of ${uri}` : `the host alone, for no libvirt answers at ${uri}`),
    );
    console.log(`Samples  ${transport.way} to ${storePlace(config.database.connection, folder)}`);
    console.log('Ctrl-C ends it.\n');
    await runService({ first, reload: generation, log, notify: createSystemdNotify({ log }), interruptIsFinal: true });
  } finally {
    await transport.close(kill.signal);
    await output.close();
    kill.abort(new Error('end'));
    await collecting.close();
  }
  return exitCodes.ok;
}

function checkArguments({ interval, port }: UpArguments): void {
  if (!Number.isInteger(interval) || interval < 1)
    throw new UsageError('--interval: expected whole seconds, 1 or more');
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65_535))
    throw new UsageError('--port: expected a port, or 0 for any that is free');
}

/**
 * Only what the command line names is read, not `/etc/ceilometer`: this machine may be part of a cloud. What goes over
 * a broker has topics of its own, so that it neither gets to the agents there nor is anything taken from them.
 */
function readUpConfig({ configFile, configDir, port, transportUrl }: UpArguments): LoadedConfig {
  const topic = 'ceilometer-up';
  return loadConfig({
    files: configFile ?? [],
    dirs: configDir ?? [],
    env: process.env,
    overrides: {
      collector: { apiPort: port, ...(transportUrl !== undefined && { polledSamples: 'take' }) },
      ...(transportUrl !== undefined && {
        default: { transportUrl },
        osloMessagingNotifications: { transportUrl: undefined, topics: [topic] },
        publisherNotifier: { meteringTopic: `${topic}-metering` },
      }),
    },
  });
}

/** As the XDG base directory specification has it. */
function userStateFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'ceilometer');
}

interface OpenParts {
  readonly folder: string;
  readonly log: Log;
  readonly kill: AbortSignal;
}

async function open({ config }: LoadedConfig, { folder, log, kill }: OpenParts): Promise<OpenCollector> {
  try {
    return await openCollector(config, { stateFolder: folder, version, log, kill, assets: pageAssets() });
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (codeOf(cause) !== 'EADDRINUSE') throw error;
    const { apiHost, apiPort } = config.collector;
    throw new ConfigError(
      `port ${apiPort} of ${apiHost} is in use, maybe by another collector: name one with --port, or any with --port 0`,
      { cause: error },
    );
  }
}

/** Without a file of the operator's there is one publisher, and that is the collector. */
async function withPipelines(output: Output, loaded: LoadedConfig, log: Log): Promise<Output> {
  if (loaded.files.length === 0) return output;
  const { openPipelines } = await import('./up-pipelines.ts');
  return createBoth(output, await openPipelines(loaded, log));
}

function storePlace(connection: string, folder: string): string {
  if (connection === '') return join(folder, DATABASE_FILE);
  // The rest of it may have a password.
  return connection.startsWith('sqlite') ? connection.replace(/^\w+:\/\/\//, '') : 'PostgreSQL';
}

function terminal(kind: UpArguments['output']): Output {
  if (kind === 'none') return createNoneOutput();
  const onGone = () => process.emit('SIGTERM');
  return createTableOutput({ stream: process.stdout, onGone, headlines: kind === 'lines' });
}
