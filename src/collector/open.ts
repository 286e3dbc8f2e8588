/** A collector with its store and its API, as the configuration has it: for the daemon, and for `ceilometer up`. */
import type { Config } from '../config/options.ts';
import type { Logger } from '../plugin.ts';
import { COMMON_SECRET } from '../wire/signature.ts';
import { createRoutes } from './api/routes.ts';
import { type Api, type ApiOptions, type Asset, checkApiOptions, startApi } from './api/server.ts';
import { type Collector, createCollector, type RetentionOptions } from './collector.ts';
import { createMessageReader, type MessageReader } from './messages.ts';
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
  /** Takes from a new configuration what can change while it runs. Throws `ConfigError`, and leaves all as it is. */
  reload(config: Config): void;
  /** Call it when nothing is taken in any more. */
  close(): Promise<void>;
}

/** For SQLite; PostgreSQL has whole disks, and others to watch them. */
const SQLITE_BYTES = 2_147_483_648;

/** Throws `ConfigError`. */
export async function openCollector(config: Config, settings: CollectorSettings): Promise<OpenCollector> {
  const { log, kill, version, assets } = settings;
  const apiOptions = apiOptionsOf(config);
  // A mistake here is told before the file of the store is made.
  checkApiOptions(apiOptions);
  const store = await openStore(config.database.connection, settings.stateFolder);
  const collector = createCollector({
    store,
    read: readerOf(config),
    retention: retentionOf(config, store),
    log,
    kill,
  });
  try {
    const routes = createRoutes(collector, version);
    const api = await startApi(apiOptions, { routes, log, ...(assets && { assets }) });
    return {
      collector,
      api,
      reload(next) {
        const nextOptions = apiOptionsOf(next);
        checkApiOptions(nextOptions);
        // The address stays the one that it listens on, whatever the new configuration says.
        checkApiOptions({ ...apiOptions, token: nextOptions.token });
        collector.change({ read: readerOf(next), retention: retentionOf(next, store) });
        api.setToken(nextOptions.token);
      },
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

function apiOptionsOf({ collector: { apiHost, apiPort, apiToken } }: Config): ApiOptions {
  return { host: apiHost, port: apiPort, token: apiToken };
}

function readerOf(config: Config): MessageReader {
  const secret = config.publisher.telemetrySecret;
  return createMessageReader({
    secret: secret === COMMON_SECRET ? '' : secret,
    meteringTopic: config.publisherNotifier.meteringTopic,
    source: config.default.sampleSource,
  });
}

function retentionOf({ database }: Config, store: Store): RetentionOptions {
  const maxBytes = database.maxBytes ?? (store.kind === 'sqlite' ? SQLITE_BYTES : 0);
  return {
    timeToLive: database.meteringTimeToLive > 0 ? database.meteringTimeToLive : undefined,
    maxBytes: maxBytes > 0 ? maxBytes : undefined,
  };
}
