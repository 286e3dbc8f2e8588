/** From one reading of the configuration to everything that runs on it. */
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import type { PollingSource } from '../config/polling.ts';
import { ConfigError } from '../errors.ts';
import type { Output } from '../output/output.ts';
import type { Logger } from '../plugin.ts';
import type { OpenListeners } from '../prometheus/open-listeners.ts';
import type { Lease } from '../util/leases.ts';
import type { OpenCoordination } from './coordination/open-coordination.ts';
import { workGroups } from './coordination/work-groups.ts';
import type { OpenHeartbeat } from './heartbeat.ts';
import { createHost } from './host.ts';
import { createManager } from './manager.ts';
import type { Observed } from './observation.ts';
import type { CountBook } from './poll-counts.ts';
import { loadRegistry } from './registry.ts';
import type { Generation } from './service.ts';
import type { StateStore } from './state-store.ts';

export interface GenerationRequest {
  readonly loaded: LoadedConfig;
  readonly sources: readonly PollingSource[];
  /** Of the command line; undefined takes those of the configuration. */
  readonly namespaces: readonly string[] | undefined;
  readonly pollsterList: readonly string[] | undefined;
  readonly openOutput: (config: Config) => Lease<Output>;
  /** For `[polling] heartbeat_socket_dir`; left out, nobody is told of this run. */
  readonly openHeartbeat?: OpenHeartbeat;
  /** For `[polling] metrics_listen_addresses` and `prometheus_listen_addresses`; left out, nobody can ask. */
  readonly openListeners?: OpenListeners;
  readonly version?: string;
  /** Outlives the generation, as what was counted does. */
  readonly counts?: CountBook;
  /** For `[coordination] backend_url`; left out, this run polls everything and nobody is told of it. */
  readonly openCoordination?: OpenCoordination;
  /** Outlives the generation. */
  readonly states: StateStore;
  /** Where state is kept over a restart; undefined keeps it in memory. */
  readonly stateFolder: string | undefined;
  readonly log: Logger;
}

/** Throws {@link ConfigError} where the configuration cannot be run; nothing stays open then. */
export async function createGeneration(request: GenerationRequest): Promise<Generation> {
  const { loaded, log, sources, states } = request;
  const { config } = loaded;
  if (request.pollsterList !== undefined && config.coordination.backendUrl) {
    throw new ConfigError(
      '--pollster-list cannot be used with [coordination] backend_url: samples would be lost or doubled',
    );
  }
  const opened: (() => Promise<void>)[] = [];
  /** What was opened last goes first. */
  const close = async () => {
    for (const release of opened.toReversed()) await release();
  };
  try {
    const host = createHost(config, log, { states, deadline: shortestDeadline(config, sources) });
    opened.push(host.close);
    const namespaces = request.namespaces ?? config.default.pollingNamespaces;
    const registry = await loadRegistry(
      {
        namespaces,
        plugins: config.default.plugins,
        ...(request.pollsterList === undefined ? {} : { pollsterList: request.pollsterList }),
      },
      host,
    );
    opened.push(registry.close);
    const folder = config.polling.heartbeatSocketDir;
    const heartbeat = folder === undefined ? undefined : await request.openHeartbeat?.(folder, namespaces);
    if (heartbeat !== undefined) opened.push(heartbeat.release);
    const output = request.openOutput(config);
    opened.push(output.release);
    const { backendUrl } = config.coordination;
    const membership = backendUrl ? request.openCoordination?.(backendUrl) : undefined;
    if (membership !== undefined) opened.push(membership.release);
    const exporting = await exportSamples(request, output.value);
    opened.push(exporting.end);
    const manager = createManager({
      config,
      host,
      registry,
      sources,
      output: exporting.output,
      ...(heartbeat === undefined ? {} : { heartbeat: heartbeat.value.beat }),
      ...(request.counts && { counts: request.counts }),
      ...(membership && {
        sharing: {
          groups: workGroups(config, namespaces, sources, log),
          takePart(groups) {
            const participation = membership.value.use(groups);
            opened.push(participation.release);
            return participation;
          },
        },
      }),
    });
    opened.push(
      await serveMetrics(request, {
        hostname: host.hostname,
        namespaces,
        version: request.version ?? 'unknown',
        tasks: manager.tasks,
        delivery: output.value.stats,
        serviceUse: host.budget.use,
      }),
    );
    states.moveTo({ folder: request.stateFolder, agent: `polling-${[...namespaces].sort().join('-')}` });
    return {
      manager,
      output: output.value,
      grace: config.default.gracefulShutdownTimeout * 1000,
      leave: async () => membership?.value.leave(),
      close,
    };
  } catch (err) {
    await close();
    throw err;
  }
}

/** The output, and what ends the exporter that sees its samples. */
async function exportSamples({ loaded: { config }, openListeners }: GenerationRequest, output: Output) {
  const { enablePrometheusExporter: enabled, prometheusListenAddresses: addresses } = config.polling;
  if (openListeners === undefined || !enabled) return { output, end: async () => {} };
  const [{ createExporter }, listeners] = await Promise.all([
    // An agent without it does without the memory that this takes.
    import('../output/exporter.ts'),
    openListeners(config, addresses, 'prometheus_listen_addresses'),
  ]);
  const exporter = createExporter(output);
  const ends = listeners.value.map((listener) => listener.serve('samples', { families: exporter.families }));
  const end = async () => {
    for (const one of ends) one();
    await listeners.release();
  };
  return { output: exporter.output, end };
}

/** Returns what ends it. */
async function serveMetrics(
  { loaded: { config }, openListeners }: GenerationRequest,
  observed: Observed,
): Promise<() => Promise<void>> {
  const { metricsListenAddresses: addresses } = config.polling;
  if (openListeners === undefined || addresses.length === 0) return async () => {};
  const [{ observation }, listeners] = await Promise.all([
    // An agent that nobody watches does without the memory that this takes.
    import('./observation.ts'),
    openListeners(config, addresses, 'metrics_listen_addresses'),
  ]);
  const content = observation(observed);
  const ends = listeners.value.map((listener) => listener.serve('agent', content));
  return async () => {
    for (const end of ends) end();
    await listeners.release();
  };
}

/** Milliseconds. */
function shortestDeadline({ polling }: Config, sources: readonly PollingSource[]): number {
  return 1000 * (polling.pollsterTimeout ?? Math.min(...sources.map(({ interval }) => interval)));
}
