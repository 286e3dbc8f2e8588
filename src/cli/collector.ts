#!/usr/bin/env node
/** `ceilometer-collector`: stores samples that were published, and answers questions about them. */
import { isDeepStrictEqual } from 'node:util';
import { collectorPlan, copiedQueues } from '../collector/listen.ts';
import { openCollector } from '../collector/open.ts';
import { pageAssets } from '../collector/page/page.ts';
import { runCollectorService } from '../collector/service.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { createSystemdNotify } from '../util/sd-notify.ts';
import {
  command,
  exitCodes,
  openLog,
  readConfig,
  runMain,
  stateFolder,
  tell,
  withConfig,
  withPlaces,
} from './common.ts';
import { version } from './version.ts';

const NAME = 'ceilometer-collector';

const DEFAULT_FOLDER = '/var/lib/ceilometer';

async function main(argv: readonly string[]): Promise<number> {
  const args = await withConfig(command(NAME, argv))
    .usage('$0 [options]\n\nTakes samples from the message broker, stores them, and answers questions about them.')
    .parseAsync();
  if ('help' in args || 'version' in args) return exitCodes.ok;
  const loaded = readConfig(args);
  return withPlaces(loaded, () => collect(loaded, () => readConfig(args)));
}

async function collect(loaded: LoadedConfig, reread: () => LoadedConfig): Promise<number> {
  const { config } = loaded;
  const plan = collectorPlan(config, NAME);
  const log = openLog(NAME, loaded);
  await runCollectorService({
    open: (kill) =>
      openCollector(config, {
        stateFolder: stateFolder(loaded) ?? DEFAULT_FOLDER,
        version,
        log,
        kill,
        assets: pageAssets(),
      }),
    reload: async (open) => {
      const next = reread();
      const nextPlan = collectorPlan(next.config, NAME);
      open.reload(next.config);
      tell(log, next.warnings);
      const fixed = needsRestart(config, next.config, isDeepStrictEqual(plan.options, nextPlan.options));
      if (fixed.length > 0) log.warn({ options: fixed }, 'these have changed, too, and take a restart');
    },
    plan,
    copied: copiedQueues(config),
    grace: config.default.gracefulShutdownTimeout * 1000,
    log,
    notify: createSystemdNotify({ log }),
  });
  return exitCodes.ok;
}

/** What has changed and is not taken from a new configuration. */
function needsRestart(before: Config, after: Config, sameListening: boolean): readonly string[] {
  const changed = [
    ['[database] connection', before.database.connection === after.database.connection],
    ['[DEFAULT] state_path', before.default.statePath === after.default.statePath],
    ['[collector] api_host', before.collector.apiHost === after.collector.apiHost],
    ['[collector] api_port', before.collector.apiPort === after.collector.apiPort],
    ['the broker, its queues or dead letters', sameListening],
  ] as const;
  return changed.filter(([, same]) => !same).map(([name]) => name);
}

await runMain(NAME, () => main(process.argv.slice(2)));
