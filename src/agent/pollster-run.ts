import type { PollingSource } from '../config/polling.ts';
import { codeOf, describeError } from '../errors.ts';
import type { Output } from '../output/output.ts';
import type { CycleCache, PollContext, Reading, Resource } from '../plugin.ts';
import type { Sample } from '../sample.ts';
import type { Clock } from '../util/clock.ts';
import { scope, untilAborted } from '../util/scope.ts';
import { everything, type Share } from './coordination/share.ts';
import type { WorkGroups } from './coordination/work-groups.ts';
import type { Discoverer } from './discovery.ts';
import type { AgentHost } from './host.ts';
import type { LoadedDiscovery, LoadedPollster } from './registry.ts';
import { createStamp } from './stamp.ts';

/** What every pollster of an agent is run with. */
export interface RunSettings {
  readonly host: AgentHost;
  readonly output: Output;
  readonly discoverer: Discoverer;
  /** Where agents share their work. */
  readonly groups?: WorkGroups;
  readonly clock: Clock;
  readonly sampleSource: string;
  /** Samples handed to the output at a time; 0 hands over each alone. */
  readonly batchSize: number;
  /** Milliseconds after which a run is let go of. */
  readonly deadline: number;
  /** Told after each success: the pollster's name and the time stamp of its samples. */
  readonly heartbeat?: (pollster: string, timestamp: number) => void;
}

/** What the runs of one cycle share. */
export interface Cycle {
  /** The slot, or the name of what is polled outside the slots: what makes the ids of its samples its own. */
  readonly slot: number | string;
  readonly signal: AbortSignal;
  readonly cache: CycleCache;
  /** By pollster name, the resources that some source has polled in this cycle already. */
  readonly polled: Map<string, Set<string>>;
  /** What to poll instead of what the discovery finds. */
  readonly only?: readonly Resource[];
  /** The part of the shared work to poll; left out, it is all. */
  readonly share?: Share;
  /** Wall-clock milliseconds for the time stamps, where that is not when each pollster begins. */
  readonly time?: number;
}

export interface RunResult {
  readonly samples: number;
  /** One line; absent when the run succeeded. */
  readonly failure?: string;
  /** The error behind the failure where it is not of a known kind, so that its stack is logged. */
  readonly unexpected?: unknown;
}

/** Failures of the world around us; anything else is a bug whose stack is wanted. */
const EXPECTED = new Set(['ERR_SERVICE', 'ERR_DEADLINE', 'ERR_DELIVERY', 'ERR_CONFIG', 'ERR_PLUGIN_LOAD']);

/**
 * One pollster of one source, cycle after cycle: the wrapper that makes it a good citizen. It finds the resources,
 * stamps what the pollster yields, hands it on in batches, keeps the deadline, and turns every failure into a result.
 */
export class PollsterRun {
  readonly source: PollingSource;
  readonly entry: LoadedPollster;
  readonly #settings: RunSettings;
  /** Resources that the driver does not support, with the count of its connections when it said so. */
  readonly #leftOut = new Map<string, number>();
  /** Set while a poll goes on, also after it was let go of. */
  #running = false;

  constructor(source: PollingSource, entry: LoadedPollster, settings: RunSettings) {
    this.source = source;
    this.entry = entry;
    this.#settings = settings;
  }

  /** Whether its resources come from this discovery. */
  isFedBy(discovery: LoadedDiscovery): boolean {
    const { discoverer } = this.#settings;
    return this.#discoveries().some((url) => discoverer.find(url, this.entry.namespace) === discovery);
  }

  /** The groups in which agents share its work; none where it is polled by each. */
  get groups(): readonly string[] {
    const { discoverer, groups } = this.#settings;
    if (groups === undefined) return [];
    const pollsters = groups.pollsters(this.source);
    if (pollsters !== undefined) return [pollsters];
    const found = this.#discoveries().map((url) => discoverer.find(url, this.entry.namespace)?.discovery.group ?? null);
    const listed = this.source.resources.length > 0 ? [groups.listed(this.source)] : [];
    return [...listed, ...found.filter((group) => group !== null).map(groups.found)];
  }

  /** Never rejects. A run whose predecessor has not ended is not begun. */
  async run(cycle: Cycle): Promise<RunResult> {
    if (this.#running) return { samples: 0, failure: 'skipped, its poll of an earlier cycle has not ended' };
    const { deadline, host } = this.#settings;
    using limit = scope(cycle.signal, deadline, `pollster ${this.entry.name}`);
    const ctx: PollContext = {
      signal: limit.signal,
      cache: cycle.cache,
      log: host.log,
      source: this.source.name,
    };
    const progress = { samples: 0, faults: 0, firstFault: '' };
    this.#running = true;
    const work = this.#poll(cycle, ctx, progress).finally(() => {
      this.#running = false;
    });
    try {
      await untilAborted(work, limit.signal);
    } catch (err) {
      return this.#failed(err, progress.samples);
    }
    if (progress.faults > 0) {
      return {
        samples: progress.samples,
        failure: `dropped ${progress.faults} readings, first: ${progress.firstFault}`,
      };
    }
    return { samples: progress.samples };
  }

  async #poll(
    cycle: Cycle,
    ctx: PollContext,
    progress: { samples: number; faults: number; firstFault: string },
  ): Promise<void> {
    const { batchSize, clock, heartbeat, output, sampleSource } = this.#settings;
    const { name, pollster } = this.entry;
    const resources = this.#unpolled(cycle.only ?? (await this.#candidates(ctx, cycle.share ?? everything)), cycle);
    if (resources.length === 0) return;
    const time = cycle.time ?? clock.now();
    const stamp = createStamp({
      sampleSource,
      pollingSource: this.source.name,
      slot: cycle.slot,
      time,
      meter: pollster.meters[0],
    });
    const readings = await pollster.poll(resources, ctx);
    let batch: Sample[] = [];
    const take = (reading: Reading): boolean => {
      const sample = stamp.make(reading);
      if (typeof sample === 'string') {
        progress.faults += 1;
        progress.firstFault ||= sample;
        return false;
      }
      return batch.push(sample) >= batchSize;
    };
    const handOver = async () => {
      const full = batch;
      batch = [];
      await output.publish(full, ctx.signal);
      progress.samples += full.length;
    };
    try {
      // A poll that was let go of may still yield; its cycle is over.
      if (isIterable(readings)) {
        for (const reading of readings) {
          if (ctx.signal.aborted) return;
          if (take(reading)) await handOver();
        }
      } else if (isAsyncIterable(readings)) {
        for await (const reading of readings) {
          if (ctx.signal.aborted) return;
          if (take(reading)) await handOver();
        }
      } else {
        throw new TypeError(`poll returned ${typeof readings}, expected readings to iterate over`);
      }
    } finally {
      // What was read before a failure counts.
      if (batch.length > 0 && !ctx.signal.aborted) await handOver();
    }
    heartbeat?.(name, time);
  }

  async #candidates(ctx: PollContext, share: Share): Promise<readonly Resource[]> {
    const { discoverer, groups } = this.#settings;
    const { name, namespace } = this.entry;
    const { resources } = this.source;
    const pollsters = groups?.pollsters(this.source);
    if (pollsters !== undefined && !share.owns(pollsters, name)) return [];
    // A group shares pollsters or resources: in both, some pairs of the two would be nobody's.
    const shared = pollsters === undefined ? groups : undefined;
    const listed = shared && resources.length > 0 ? shared.listed(this.source) : null;
    const ours = shared === undefined ? everything : share;
    const found: Resource[] = resources.filter((id) => ours.owns(listed, id)).map((id) => ({ id }));
    const isOurs =
      shared &&
      ((group: string | null, { id }: Resource) => ours.owns(group === null ? null : shared.found(group), id));
    for (const url of this.#discoveries()) found.push(...(await discoverer.discover(url, namespace, ctx, isOurs)));
    return found;
  }

  /** Those of the source; the pollster's own where the source names neither discoveries nor resources. */
  #discoveries(): readonly string[] {
    const { discovery, resources } = this.source;
    if (resources.length > 0 || discovery.length > 0) return discovery;
    const own = this.entry.pollster.discovery;
    return own === undefined ? [] : [own];
  }

  /** Leaves out what was polled in this cycle already and what the driver does not support. */
  #unpolled(candidates: readonly Resource[], cycle: Cycle): Resource[] {
    const { name } = this.entry;
    const connections = this.#settings.host.connections();
    const polled = cycle.polled.get(name) ?? new Set();
    cycle.polled.set(name, polled);
    return candidates.filter(({ id }) => {
      if (polled.has(id)) return false;
      polled.add(id);
      return this.#leftOut.get(id) !== connections;
    });
  }

  #failed(err: unknown, samples: number): RunResult {
    const { host } = this.#settings;
    const where = { source: this.source.name, pollster: this.entry.name };
    const code = codeOf(err);
    if (code === 'ERR_NO_DATA') {
      host.log.debug({ ...where, reason: describeError(err) }, 'nothing to poll now');
      return { samples };
    }
    if (code === 'ERR_POLL_PERMANENT') {
      const ids = resourceIdsOf(err);
      for (const id of ids) this.#leftOut.set(id, host.connections());
      host.log.info({ ...where, resources: ids.length, reason: describeError(err) }, 'not supported here, left out');
      return { samples };
    }
    const failure = describeError(err);
    return code !== undefined && EXPECTED.has(code) ? { samples, failure } : { samples, failure, unexpected: err };
  }
}

/** What a plugin returns is checked at run time. */
function isIterable(value: unknown): value is Iterable<Reading> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Reading> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function resourceIdsOf(err: unknown): readonly string[] {
  const ids: unknown = (err as { resourceIds?: unknown }).resourceIds;
  return Array.isArray(ids) ? ids.filter((id: unknown) => typeof id === 'string') : [];
}
