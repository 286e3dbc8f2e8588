/** A collector with its store and its API, as the configuration has it: for the daemon, and for `ceilometer up`. */
import type { Config } from '../config/options.ts';
import type { Logger } from '../plugin.ts';
import { COMMON_SECRET } from '../wire/signature.ts';
import { createRoutes } from './api/routes.ts';
import { type Api, type Asset, checkApiOptions, startApi } from './api/server.ts';
import { type Collector, createCollector, type RetentionOptions } from './collector.ts';
import { createMessageReader } from './messages.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

export interface CollectorSettings {
  /** Where the SQLite file is, unless the configuration says where. */
  readonly stateFolder: string;
  readonly version: string;
  readonly log: Logger;
  /** Aborts when work has to be broken off. */
  readonly kill: AbortSignal;
  /** Served beside the API, by path. */
  readonly assets?: ReadonlyMap<string, Asset>;
}

export interface OpenCollector {
  readonly collector: Collector;
  readonly api: Api;
  /** Call it when nothing is taken in any more. */
  close(): Promise<void>;
}

/** For SQLite; PostgreSQL has whole disks, and others to watch them. */
const SQLITE_BYTES = 2_147_483_648;

/** Throws `ConfigError`. */
export async function openCollector(config: Config, settings: CollectorSettings): Promise<OpenCollector> {
  const { log, kill, version, assets } = settings;
  const apiOptions = {
    host: config.collector.apiHost,
    port: config.collector.apiPort,
    token: config.collector.apiToken,
  };
  // Before a file is made.
  checkApiOptions(apiOptions);
  const store = await openStore(config.database.connection, settings.stateFolder);
  const secret = config.publisher.telemetrySecret;
  const read = createMessageReader({
    secret: secret === COMMON_SECRET ? '' : secret,
    meteringTopic: config.publisherNotifier.meteringTopic,
    source: config.default.sampleSource,
  });
  const collector = createCollector({ store, read, retention: retentionOf(config, store), log, kill });
  try {
    const routes = createRoutes(collector, version);
    const api = await startApi(apiOptions, { routes, log, ...(assets && { assets }) });
    return {
      collector,
      api,
      async close() {
        await collector.stop();
        await api.close();
        await store.close();
      },
    };
  } catch (error) {
    await collector.stop();
    await store.close();
    throw error;
  }
}

function retentionOf({ database }: Config, store: Store): RetentionOptions {
  const maxBytes = database.maxBytes ?? (store.kind === 'sqlite' ? SQLITE_BYTES : 0);
  return {
    timeToLive: database.meteringTimeToLive > 0 ? database.meteringTimeToLive : undefined,
    maxBytes: maxBytes > 0 ? maxBytes : undefined,
  };
}
