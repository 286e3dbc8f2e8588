import { setMaxListeners } from 'node:events';
import type { Logger } from '../plugin.ts';
import { systemClock } from '../util/clock.ts';
import { untilAborted } from '../util/scope.ts';
import { singleFlight } from '../util/single-flight.ts';
import { Arrivals } from './arrivals.ts';
import { readBlockInfo } from './block-info.ts';
import { readBulkStats } from './bulk-stats.ts';
import { DomainCatalogue } from './catalogue.ts';
import { type ConnectionStatus, Connector } from './connector.ts';
import { DomainEdges } from './domain-edges.ts';
import { ConnectionError } from './errors.ts';
import type { DomainStats, VirtInspector } from './inspector.ts';
import type { DomainRef } from './rpc.ts';
import type { Session } from './session.ts';
import { createStatsParts } from './stats-parts.ts';
import { DomainTroubles } from './troubles.ts';
import { parseVirtUri } from './uri.ts';

export interface InspectorOptions {
  readonly uri: string;
  readonly log: Logger;
  /** Milliseconds for one call, for connecting, and by which domains that do not answer may delay a cycle. */
  readonly callTimeout?: number;
  /** Calls in flight at once; libvirtd works on five for one client by default. */
  readonly parallelCalls?: number;
}

export interface LibvirtInspector extends VirtInspector {
  readonly status: ConnectionStatus;
}

const CALL_TIMEOUT = 5_000;
const PARALLEL_CALLS = 4;
/** Milliseconds between two looks whether there is a connection, while somebody waits for events. */
const LOOK_INTERVAL = 2_000;

/** Does no I/O; throws a ConfigError for a URI that cannot be. */
export function createInspector(options: InspectorOptions): LibvirtInspector {
  const { log, callTimeout: timeout = CALL_TIMEOUT, parallelCalls: parallel = PARALLEL_CALLS } = options;
  const calls = { timeout, parallel, log };
  const troubles = new DomainTroubles(log);
  const catalogue = new DomainCatalogue(troubles, calls);
  const edges = new Set<DomainEdges>();
  const arrivals = new Arrivals();
  const uri = parseVirtUri(options.uri);
  const connector = new Connector({
    uri,
    timeout,
    log,
    onDomainChanged: (domain) => catalogue.noteChange(domain),
    onLifecycle(event, session) {
      arrivals.note(event, session.client);
      for (const one of edges) one.note(event, session.client);
    },
  });

  async function keepConnected(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !connector.signal.aborted) {
      // What is wrong is in the log already, once.
      await connector.session(signal).catch(() => undefined);
      await systemClock.sleep(LOOK_INTERVAL, signal);
    }
  }

  /** Does it again when the connection breaks meanwhile: a daemon that was restarted costs no values. */
  async function onSession<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await connector.session(signal);
    try {
      return await work(session);
    } catch (error) {
      if (!session.client.closed) throw error;
      return work(await connector.session(signal));
    }
  }

  const parts = createStatsParts({
    ...calls,
    uri,
    delay: timeout,
    signal: connector.signal,
    troubles,
    onChanged: (domain) => catalogue.noteChange(domain),
  });

  /** As `onSession`, on the connections that are apart from that of the events. */
  async function apart<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await connector.session(signal);
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConnectionError) || signal.aborted) throw error;
      await connector.session(signal);
      return work();
    }
  }

  const stats: VirtInspector['stats'] = async (domains, signal, told) => {
    const said = new Map<string, DomainStats>();
    if (domains.length === 0) return said;
    await apart(signal, () => {
      // What was told before the connection broke is not asked again.
      const open = said.size === 0 ? domains : domains.filter(({ uuid }) => !said.has(uuid));
      return readBulkStats(parts, open, signal, (some) => {
        for (const [uuid, one] of some) said.set(uuid, one);
        told?.(some);
      });
    });
    return said;
  };

  const refresh = singleFlight(() =>
    onSession(connector.signal, async (session) => {
      const domains = await catalogue.refresh(session);
      return arrivals.without(domains, session.client);
    }),
  );

  return {
    domains: (signal) => untilAborted(refresh(), signal),
    async stats(domains, signal, told) {
      const said = await stats(domains, signal, told);
      for (const one of edges) one.noteRead(domains, said);
      return said;
    },
    async blockInfo(disks, signal) {
      if (disks.length === 0) return new Map();
      return await apart(signal, () => readBlockInfo(parts, disks, signal));
    },
    watch(listener, signal) {
      // Each domain that ends waits on it, however many there are.
      setMaxListeners(0, signal);
      const current = (domain: DomainRef) => catalogue.current(domain);
      const mine = new DomainEdges({ listener, timeout, log, current, read: stats, signal });
      edges.add(mine);
      signal.addEventListener('abort', () => edges.delete(mine), { once: true });
      void keepConnected(signal);
    },
    get connections() {
      return connector.connections;
    },
    get status() {
      return connector.status;
    },
    async close() {
      await Promise.all([connector.close(), parts.close()]);
    },
  };
}
