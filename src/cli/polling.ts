#!/usr/bin/env node
/** `ceilometer-polling`: polls the namespaces of this host and delivers the samples. */
import { createGeneration } from '../agent/generation.ts';
import { heartbeatOpener, type OpenHeartbeat } from '../agent/heartbeat.ts';
import { type CountBook, createCountBook } from '../agent/poll-counts.ts';
import { type Generation, runService, withSignals } from '../agent/service.ts';
import { StateStore } from '../agent/state-store.ts';
import type { LoadedConfig } from '../config/load.ts';
import { findPollingFile, loadPolling } from '../config/polling.ts';
import type { Log } from '../log.ts';
import { listenerOpener, type OpenListeners } from '../prometheus/open-listeners.ts';
import { scope } from '../util/scope.ts';
import { createSystemdNotify } from '../util/sd-notify.ts';
import {
  type ConfigArguments,
  command,
  exitCodes,
  listValues,
  openLog,
  readConfig,
  runMain,
  tell,
  withConfig,
} from './common.ts';
import { type OpenOutput, type OutputKind, outputKinds, outputOpener } from './open-output.ts';
import { version } from './version.ts';

const NAME = 'ceilometer-polling';

interface PollingArguments extends ConfigArguments {
  readonly pollingNamespaces?: string[] | undefined;
  readonly pollsterList?: string[] | undefined;
  readonly once: boolean;
  readonly output: OutputKind;
}

async function main(argv: readonly string[]): Promise<number> {
  const args = await withConfig(command(NAME, argv))
    .usage('$0 [options]\n\nPolls libvirt, OpenStack and this host, and delivers the samples over AMQP.')
    .option('polling-namespaces', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'compute, central, ipmi, host or those of plugins (default: compute central)',
    })
    .option('pollster-list', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Only pollsters of these names or shell wildcards',
    })
    .option('once', { type: 'boolean', default: false, describe: 'One cycle of every source now, then exit' })
    .option('output', { choices: outputKinds, default: 'amqp' as const, describe: 'Where the samples go' })
    .parseAsync();
  // yargs has printed what --help or --version asked for.
  if ('help' in args || 'version' in args) return exitCodes.ok;
  return poll(args);
}

async function poll(args: PollingArguments): Promise<number> {
  const loaded = readConfig(args);
  const log = openLog(NAME, loaded);
  const openOutput = outputOpener(args.output, log);
  const states = new StateStore({ log });
  if (args.once) return once(await generation(args, loaded, { openOutput, states, log }));
  const shared = {
    openOutput,
    openHeartbeat: heartbeatOpener(),
    openListeners: listenerOpener(log),
    counts: createCountBook(),
    states,
    log,
  };
  const first = await generation(args, loaded, shared);
  try {
    const undelivered = await runService({
      first,
      reload: () => {
        const next = readConfig(args);
        tell(log, next.warnings);
        return generation(args, next, shared);
      },
      log,
      notify: createSystemdNotify({ log }),
      interruptIsFinal: false,
    });
    return undelivered > 0 ? exitCodes.undelivered : exitCodes.ok;
  } finally {
    await states.close();
  }
}

/** What outlives a generation. */
interface Shared {
  readonly openOutput: OpenOutput;
  /** A run that polls once has none of these: it must not take the sockets of a daemon. */
  readonly openHeartbeat?: OpenHeartbeat;
  readonly openListeners?: OpenListeners;
  readonly counts?: CountBook;
  readonly states: StateStore;
  readonly log: Log;
}

function generation(args: PollingArguments, loaded: LoadedConfig, shared: Shared): Promise<Generation> {
  const { log } = shared;
  const warn = (text: string) => log.warn({ detail: text }, 'command line');
  const { sources, warnings } = loadPolling(findPollingFile(loaded.config.polling.cfgFile, loaded.searchPath));
  tell(log, warnings);
  return createGeneration({
    loaded,
    sources,
    namespaces: listValues('polling-namespaces', args.pollingNamespaces, warn),
    pollsterList: listValues('pollster-list', args.pollsterList, warn),
    ...shared,
    version,
    stateFolder: args.once ? undefined : stateFolder(loaded),
  });
}

/** A run that polls once is a look at things: it must not take anything from the deltas of a daemon. */
function stateFolder({ config }: LoadedConfig): string | undefined {
  // systemd may name several directories.
  const [fromSystemd] = (process.env['STATE_DIRECTORY'] ?? '').split(':');
  return (config.default.statePath ?? fromSystemd) || undefined;
}

async function once({ manager, output, grace, close }: Generation): Promise<number> {
  try {
    return await withSignals(async (kill) => {
      const reports = await manager.once(kill);
      using limit = scope(kill, grace === 0 ? Number.MAX_SAFE_INTEGER : grace, 'delivery');
      const undelivered = await output.flush(limit.signal);
      if (undelivered > 0) return exitCodes.undelivered;
      return reports.some(({ failures }) => failures.length > 0) ? exitCodes.pollsterFailed : exitCodes.ok;
    });
  } finally {
    await close();
  }
}

await runMain(NAME, () => main(process.argv.slice(2)));
