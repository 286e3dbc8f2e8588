#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=65536 node --max-semi-space-size=1
/** `ceilometer-polling`: polls the namespaces of this host and delivers the samples. */
import { coordinationOpener, type OpenCoordination } from '../agent/coordination/open-coordination.ts';
import { createGeneration } from '../agent/generation.ts';
import { heartbeatOpener, type OpenHeartbeat } from '../agent/heartbeat.ts';
import { type CountBook, createCountBook } from '../agent/poll-counts.ts';
import { type Generation, runService, withSignals } from '../agent/service.ts';
import { StateStore } from '../agent/state-store.ts';
import type { LoadedConfig } from '../config/load.ts';
import { findPollingFile, loadPolling } from '../config/polling.ts';
import { codeOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { listenerOpener, type OpenListeners } from '../prometheus/open-listeners.ts';
import { keepHeapSmall } from '../util/heap.ts';
import { scope } from '../util/scope.ts';
import { createSystemdNotify } from '../util/sd-notify.ts';
import { type ArgumentsOf, configOptions, readCommandLine } from './command-line.ts';
import { type OpenOutput, outputKinds, outputOpener } from './open-output.ts';
import { exitCodes, listValues, openLog, readConfig, runMain, stateFolder, tell, withPlaces } from './program.ts';
import { version } from './version.ts';

const NAME = 'ceilometer-polling';

const options = {
  ...configOptions,
  'polling-namespaces': {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'compute, central, ipmi, host or those of plugins (default: compute central)',
  },
  'pollster-list': {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'Only pollsters of these names or shell wildcards',
  },
  once: { type: 'boolean', default: false, describe: 'One cycle of every source now, then exit' },
  output: { type: 'string', choices: outputKinds, default: 'amqp', describe: 'Where the samples go' },
} as const;

type PollingArguments = ArgumentsOf<typeof options>;

async function main(argv: readonly string[]): Promise<number> {
  const purpose = 'Polls libvirt, OpenStack and this host, and delivers the samples over AMQP.';
  const args = await readCommandLine({ name: NAME, purpose, options }, argv);
  return args === undefined ? exitCodes.ok : poll(args);
}

async function poll(args: PollingArguments): Promise<number> {
  const loaded = readConfig(args);
  const log = openLog(NAME, loaded);
  const openOutput = await outputOpener(args.output, log);
  const states = new StateStore({ log });
  if (args.once) return once(await generation(args, loaded, { openOutput, states, log }), log);
  const shared = {
    openOutput,
    openHeartbeat: heartbeatOpener(),
    openListeners: listenerOpener(log),
    counts: createCountBook(),
    openCoordination: coordinationOpener(log),
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
  /** Nor does it take work from daemons. */
  readonly openCoordination?: OpenCoordination;
  readonly states: StateStore;
  readonly log: Log;
}

function generation(args: PollingArguments, loaded: LoadedConfig, shared: Shared): Promise<Generation> {
  return withPlaces(loaded, () => openGeneration(args, loaded, shared));
}

async function openGeneration(args: PollingArguments, loaded: LoadedConfig, shared: Shared): Promise<Generation> {
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
    // A run that polls once is a look at things: it must not take anything from the deltas of a daemon.
    stateFolder: args.once ? undefined : stateFolder(loaded),
  });
}

async function once({ manager, output, grace, close }: Generation, log: Log): Promise<number> {
  try {
    return await withSignals(async (kill) => {
      const reports = await manager.once(kill);
      using limit = scope(kill, grace === 0 ? Number.MAX_SAFE_INTEGER : grace, 'delivery');
      const undelivered = await output.flush(limit.signal);
      if (undelivered > 0) {
        log.error({ samples: undelivered }, 'samples could not be delivered and are lost');
        return exitCodes.undelivered;
      }
      return reports.some(({ failures }) => failures.length > 0) ? exitCodes.pollsterFailed : exitCodes.ok;
    });
  } catch (err) {
    if (codeOf(err) === 'ERR_OUTPUT_GONE') return exitCodes.ok;
    throw err;
  } finally {
    await close();
  }
}

keepHeapSmall();
await runMain(NAME, () => main(process.argv.slice(2)));
