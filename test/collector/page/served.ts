/** A collector with its page, and samples that went into it as those of `ceilometer up` do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createRoutes } from '../../../src/collector/api/routes.ts';
import { type Api, type Asset, startApi } from '../../../src/collector/api/server.ts';
import { createCollector } from '../../../src/collector/collector.ts';
import { createCollectorOutput } from '../../../src/collector/output.ts';
import { pageAssets } from '../../../src/collector/page/page.ts';
import type { Database } from '../../../src/collector/store/database.ts';
import { createSqlStore } from '../../../src/collector/store/sql-store.ts';
import { openSqlite } from '../../../src/collector/store/sqlite.ts';
import type { Store } from '../../../src/collector/store/store.ts';
import { isoTimestamp, type Sample, sampleId } from '../../../src/sample.ts';
import { freePorts } from '../../helpers/ports.ts';
import { recordingLog } from '../../helpers/recording-log.ts';

export interface Served {
  readonly url: string;
  readonly store: Store;
  give(samples: readonly Sample[], agent?: string): Promise<void>;
  /** Lets nobody in any more, until `open` does at the same address. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

export interface ServeOptions {
  readonly token?: string;
  /** An SQLite file unless given. */
  readonly database?: Database;
}

export async function serve({ token = '', database }: ServeOptions = {}): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  const log = recordingLog();
  const kill = new AbortController().signal;
  const store = createSqlStore(database ?? openSqlite(join(folder, 'c.db')));
  const retention = { timeToLive: 86_400, maxBytes: 1e9 };
  const collector = createCollector({ store, read: () => undefined, retention, log, kill });
  const assets: ReadonlyMap<string, Asset> = pageAssets();
  const routes = createRoutes(collector, '1.2.3');
  const listen = (port: number) => startApi({ host: '127.0.0.1', port, token }, { routes, assets, log });
  // Nobody may take it while the door is shut.
  const [port = 0] = await freePorts(1);
  let api: Api | undefined = await listen(port);
  const { url } = api;
  onTestFinished(async () => {
    await collector.stop();
    await api?.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return {
    url,
    store,
    give: (samples, agent = 'ceilometer.polling') => createCollectorOutput(collector, { agent }).publish(samples, kill),
    async shut() {
      await api?.close();
      api = undefined;
    },
    async open() {
      api = await listen(port);
    },
  };
}

export interface SeriesParts extends Pick<Sample, 'name' | 'type' | 'unit' | 'resourceId'> {
  readonly metadata?: Sample['metadata'];
  /** Seconds before now. */
  readonly from: number;
  readonly to?: number;
  readonly interval?: number;
  readonly volume: (seconds: number) => number | bigint;
  readonly without?: readonly [number, number];
}

/** Samples of one meter on one resource, on a grid of 10 s. */
export function series(parts: SeriesParts): readonly Sample[] {
  const { name, type, unit, resourceId, metadata = {}, from, to = 0, interval = 10, volume, without } = parts;
  const now = Date.now();
  const samples: Sample[] = [];
  for (let before = from; before >= to; before -= interval) {
    if (without !== undefined && before <= without[0] && before >= without[1]) continue;
    samples.push({
      id: sampleId('openstack', name, resourceId, now - before * 1000),
      name,
      type,
      unit,
      volume: volume(from - before),
      resourceId,
      projectId: 'p1',
      projectName: 'shop',
      userId: 'u1',
      userName: null,
      timestamp: isoTimestamp(now - before * 1000),
      monotonicTime: null,
      metadata,
      source: 'openstack',
    });
  }
  return samples;
}
