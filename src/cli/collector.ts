#!/usr/bin/env node
/** `ceilometer-collector`: stores samples that were published, and answers questions about them. */
import { collectorPlan } from '../collector/listen.ts';
import { openCollector } from '../collector/open.ts';
import { pageAssets } from '../collector/page/page.ts';
import { runCollectorService } from '../collector/service.ts';
import type { LoadedConfig } from '../config/load.ts';
import { createSystemdNotify } from '../util/sd-notify.ts';
import { command, exitCodes, openLog, readConfig, runMain, stateFolder, withConfig, withPlaces } from './common.ts';
import { version } from './version.ts';

const NAME = 'ceilometer-collector';

const DEFAULT_FOLDER = '/var/lib/ceilometer';

async function main(argv: readonly string[]): Promise<number> {
  const args = await withConfig(command(NAME, argv))
    .usage('$0 [options]\n\nTakes samples from the message broker, stores them, and answers questions about them.')
    .parseAsync();
  if ('help' in args || 'version' in args) return exitCodes.ok;
  const loaded = readConfig(args);
  return withPlaces(loaded, () => collect(loaded));
}

async function collect(loaded: LoadedConfig): Promise<number> {
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
    plan,
    grace: config.default.gracefulShutdownTimeout * 1000,
    log,
    notify: createSystemdNotify({ log }),
  });
  return exitCodes.ok;
}

await runMain(NAME, () => main(process.argv.slice(2)));
