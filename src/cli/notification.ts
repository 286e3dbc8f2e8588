#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=65536 node --max-semi-space-size=2
/** `ceilometer-agent-notification`: turns notifications into samples and events, and publishes them. */
import { createLateHost, type LateHost } from '../agent/late-host.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Log } from '../log.ts';
import { listenerPlans } from '../messaging/listener-options.ts';
import type { NotificationGeneration } from '../notifications/agent.ts';
import { assemble } from '../notifications/assembly.ts';
import { runNotificationService } from '../notifications/service.ts';
import { runWorkers, WORKER_VARIABLE } from '../notifications/workers.ts';
import type { PublisherFactory } from '../plugin.ts';
import { sessionPublishers } from '../publishers/index.ts';
import { keepHeapSmall } from '../util/heap.ts';
import { createSystemdNotify } from '../util/sd-notify.ts';
import { configOptions, readCommandLine } from './command-line.ts';
import { type ConfigArguments, exitCodes, openLog, readConfig, runMain, tell, withPlaces } from './program.ts';

const NAME = 'ceilometer-agent-notification';

async function main(argv: readonly string[]): Promise<number> {
  const purpose = 'Turns the notifications of OpenStack services, and polled samples, into samples and events.';
  const args = await readCommandLine({ name: NAME, purpose, options: configOptions }, argv);
  return args === undefined ? exitCodes.ok : run(args);
}

async function run(args: ConfigArguments): Promise<number> {
  const loaded = readConfig(args);
  const log = openLog(NAME, loaded);
  const isWorker = process.env[WORKER_VARIABLE] !== undefined;
  const { workers } = loaded.config.notification;
  if (workers > 1 && !isWorker) {
    const [, program = ''] = process.argv;
    const notify = createSystemdNotify({ log });
    return runWorkers({ count: workers, program, args: process.argv.slice(2), log, notify });
  }
  if (isWorker) endWithParent();
  await runNotificationService({
    first: await generation(loaded, log),
    reload: () => {
      const next = readConfig(args);
      tell(log, next.warnings);
      return generation(next, log);
    },
    log,
    notify: isWorker ? createSystemdNotify({ log, env: {} }) : createSystemdNotify({ log }),
    onReady: () => process.send?.('ready'),
  });
  return exitCodes.ok;
}

function generation(loaded: LoadedConfig, log: Log): Promise<NotificationGeneration> {
  return withPlaces(loaded, () => openGeneration(loaded, log));
}

async function openGeneration(loaded: LoadedConfig, log: Log): Promise<NotificationGeneration> {
  const { config, searchPath } = loaded;
  // Wrong queues and brokers are told before anything is opened.
  const listeners = listenerPlans(config, NAME);
  const host = createLateHost(config, log);
  if (config.default.plugins.length > 0) await host.load();
  return {
    assembly: await assemble(host, searchPath, loadingFirst(host)),
    listeners,
    host,
    grace: config.default.gracefulShutdownTimeout * 1000,
    patience: config.notification.publishTimeout * 1000,
  };
}

/** The publishers that need more of their host than there is at first. */
function loadingFirst(late: LateHost): Readonly<Record<string, PublisherFactory>> {
  return Object.fromEntries(
    Object.entries(sessionPublishers).map(([scheme, make]): [string, PublisherFactory] => [
      scheme,
      async (url, host) => {
        await late.load();
        return make(url, host);
      },
    ]),
  );
}

/** A worker whose parent was killed would stay for ever, and take messages beside the next agent's. */
function endWithParent(): void {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

keepHeapSmall();
await runMain(NAME, () => main(process.argv.slice(2)));
