import type { PollingSource } from '../config/polling.ts';
import { codeOf, describeError, isLogged, PluginLoadError } from '../errors.ts';
import { type Batch, beginBatch, type Output } from '../output/output.ts';
import type { CycleCache, PollContext, Reading, Resource } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';
import { scope, untilAborted } from '../util/scope.ts';
import { plural } from '../util/text.ts';
import { everything, type Share } from './coordination/share.ts';
import type { WorkGroups } from './coordination/work-groups.ts';
import type { CyclePlan, PlannedRun } from './cycle-plan.ts';
import type { Discoverer, IsOurs, ReadOptions } from './discovery.ts';
import type { AgentHost } from './host.ts';
import type { PollCounts, PollResult } from './poll-counts.ts';
import { isAsyncIterable, isIterable } from './readings.ts';
import type { LoadedDiscovery, LoadedPollster } from './registry.ts';
import { createStamp, type Stamp } from './stamp.ts';
import { type IdNumbers, Tally } from './tally.ts';

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
  readonly plan: CyclePlan;
  /** By pollster name, the resources that some source has polled in this cycle already. */
  readonly polled: Map<string, Tally>;
  /** Of the resources. */
  readonly ids: IdNumbers;
  /** What to poll instead of what the discovery finds. */
  readonly only?: readonly Resource[];
  /** The part of the shared work to poll; left out, it is all. */
  readonly share?: Share;
  /** Wall-clock milliseconds for the time stamps, where that is not when each pollster begins. */
  readonly time?: number;
}

export interface RunResult {
  readonly result: PollResult;
  readonly samples: number;
  /** One line; absent when the run succeeded. */
  readonly failure?: string;
  /** The error behind the failure where it is not of a known kind, so that its stack is logged. */
  readonly unexpected?: unknown;
  /** Whether the log tells of the failure already. */
  readonly isLogged?: boolean;
}

/** Of a poll that goes on. */
interface Progress {
  /** Not handed over so far. Begun by its first sample: what an old list leads to grows old, too. */
  batch: Batch | undefined;
  /** Samples in the batch. */
  size: number;
  result: PollResult;
  samples: number;
  faults: number;
  firstFault: string;
}

/** The part of its time that a pollster may have to wait for slower ones with which it shares pages. */
const PATIENCE = 0.1;
/** Failures of the world around us; anything else is a bug whose stack is wanted. */
const EXPECTED = new Set(['ERR_SERVICE', 'ERR_DEADLINE', 'ERR_DELIVERY', 'ERR_CONFIG', 'ERR_PLUGIN_LOAD']);

/**
 * One pollster of one source, cycle after cycle: the wrapper that makes it a good citizen. It finds the resources,
 * stamps what the pollster yields, hands it on in batches, keeps the deadline, and turns every failure into a result.
 */
export class PollsterRun {
  readonly source: PollingSource;
  readonly entry: LoadedPollster;
  readonly counts: PollCounts;
  readonly #settings: RunSettings;
  /** Resources that the driver does not support, with the count of its connections when it said so. */
  readonly #leftOut = new Map<string, number>();
  /** Reasons that were told, likewise. */
  readonly #toldOf = new Map<string, number>();
  /** Set while a poll goes on, also after it was let go of. */
  #running = false;
  /** Until its first samples are handed over, which do not wait for a batch to fill: somebody waits to see them. */
  #isFresh = true;

  constructor(source: PollingSource, entry: LoadedPollster, counts: PollCounts, settings: RunSettings) {
    this.source = source;
    this.entry = entry;
    this.counts = counts;
    this.#settings = settings;
  }

  /** Whether its resources come from this discovery. */
  isFedBy(discovery: LoadedDiscovery): boolean {
    const { discoverer } = this.#settings;
    return discoveriesOf(this.source, this.entry).some(
      (url) => discoverer.find(url, this.entry.namespace) === discovery,
    );
  }

  /** Whether it waits only for what others wait for, too. */
  get isShared(): boolean {
    return this.entry.pollster.shared === true;
  }

  /** What it does in a cycle with this share; undefined for nothing. */
  planned(share: Share = everything): PlannedRun | undefined {
    const { discoverer, groups } = this.#settings;
    const { name, namespace, pollster } = this.entry;
    const group = groups?.pollsters(this.source);
    if (this.#running || (group !== undefined && !share.owns(group, name))) return undefined;
    return {
      source: this.source,
      listings: discoveriesOf(this.source, this.entry)
        .map((url) => discoverer.listing(url, namespace))
        .filter((listing) => listing !== undefined),
      together: pollster.together,
    };
  }

  /** The groups in which agents share its work; none where it is polled by each. */
  get groups(): readonly string[] {
    const { discoverer, groups } = this.#settings;
    if (groups === undefined) return [];
    const pollsters = groups.pollsters(this.source);
    if (pollsters !== undefined) return [pollsters];
    const found = discoveriesOf(this.source, this.entry).map(
      (url) => discoverer.find(url, this.entry.namespace)?.discovery.group ?? null,
    );
    const listed = this.source.resources.length > 0 ? [groups.listed(this.source)] : [];
    return [...listed, ...found.filter((group) => group !== null).map(groups.found)];
  }

  /** Never rejects. A run whose predecessor has not ended is not begun. */
  async run(cycle: Cycle): Promise<RunResult> {
    const { clock } = this.#settings;
    const { counts } = this;
    const started = clock.monotonic();
    const run = await this.#run(cycle);
    const { failure, result, samples } = run;
    const at = clock.now();
    counts.polls[result] += 1;
    counts.seconds += (clock.monotonic() - started) / 1000;
    counts.samples += samples;
    counts.last = { at, result, samples, failure };
    if (result === 'success') counts.lastSuccess = at;
    return run;
  }

  async #run(cycle: Cycle): Promise<RunResult> {
    if (this.#running) {
      return { result: 'skipped', samples: 0, failure: 'skipped, its poll of an earlier cycle has not ended' };
    }
    const { deadline, host } = this.#settings;
    using limit = scope(cycle.signal, deadline, `pollster ${this.entry.name}`);
    const ctx: PollContext = {
      signal: limit.signal,
      cache: cycle.cache,
      log: host.log,
      source: this.source.name,
      readers: cycle.plan.readers({ source: this.source, together: this.entry.pollster.together }),
    };
    const progress: Progress = { batch: undefined, size: 0, result: 'success', samples: 0, faults: 0, firstFault: '' };
    this.#running = true;
    const work = this.#poll(cycle, ctx, progress).finally(() => {
      this.#running = false;
    });
    try {
      await untilAborted(work, limit.signal);
    } catch (err) {
      await this.#handOverRest(progress, cycle);
      return this.#failed(err, progress.samples, limit.signal);
    }
    const { faults, firstFault, result, samples } = progress;
    if (faults === 0) return { result, samples };
    return { result: 'incomplete', samples, failure: `dropped ${plural(faults, 'reading')}, first: ${firstFault}` };
  }

  async #poll(cycle: Cycle, ctx: PollContext, progress: Progress): Promise<void> {
    const { batchSize, clock, heartbeat, output, sampleSource } = this.#settings;
    const { name, pollster } = this.entry;
    let stamp: Stamp | undefined;
    let time = 0;
    let found = 0;
    const take = (reading: Reading, { make }: Stamp): boolean => {
      const sample = make(reading);
      if (typeof sample === 'string') {
        progress.faults += 1;
        progress.firstFault ||= sample;
        return false;
      }
      progress.batch ??= beginBatch(output);
      progress.batch.add(sample);
      progress.size += 1;
      return progress.size >= batchSize;
    };
    const handOver = () => this.#handOver(progress, ctx.signal);
    // A poll that was let go of may still yield; its cycle is over.
    const takeAll = async (readings: Iterable<Reading>, ofRun: Stamp) => {
      for (const reading of readings) {
        if (ctx.signal.aborted) return;
        if (take(reading, ofRun)) await handOver();
      }
    };
    const pollPage = async (resources: readonly Resource[], ofRun: Stamp) => {
      const readings = await pollster.poll(resources, ctx);
      if (isIterable(readings)) {
        await takeAll(readings, ofRun);
      } else if (isAsyncIterable(readings)) {
        for await (const some of readings) {
          if (ctx.signal.aborted) return;
          if (isIterable(some)) {
            await takeAll(some, ofRun);
            if (this.#isFresh) await handOver();
          } else if (take(some, ofRun)) await handOver();
        }
      } else {
        throw new PluginLoadError(`poll returned ${kindOf(readings)}, expected readings to iterate over`);
      }
    };
    try {
      for await (const page of this.#pages(cycle, ctx)) {
        if (ctx.signal.aborted) return;
        const resources = this.#unpolled(page, cycle);
        if (resources.length === 0) continue;
        found += resources.length;
        if (stamp === undefined) {
          time = cycle.time ?? clock.now();
          const { slot } = cycle;
          stamp = createStamp({
            sampleSource,
            pollingSource: this.source.name,
            slot,
            time,
            meter: pollster.meters[0],
            ids: cycle.ids,
          });
        }
        try {
          await pollPage(resources, stamp);
        } catch (err) {
          if (codeOf(err) !== 'ERR_POLL_PERMANENT') throw err;
          // It costs the pages after this one nothing.
          this.#leaveOut(err);
          progress.result = 'unsupported';
        }
      }
    } finally {
      if (cycle.only === undefined) this.counts.resources = found;
      // What was read before a failure counts.
      if (!ctx.signal.aborted) await handOver();
    }
    if (found === 0) progress.result = 'no_resources';
    else if (progress.result === 'success') heartbeat?.(name, time);
  }

  async #handOver(progress: Progress, signal: AbortSignal): Promise<void> {
    const { batch, size } = progress;
    if (batch === undefined) return;
    progress.batch = undefined;
    progress.size = 0;
    this.#isFresh = false;
    await batch.publish(signal, this.source.interval);
    progress.samples += size;
  }

  /** What was read before the time was over counts. */
  async #handOverRest(progress: Progress, { signal }: Cycle): Promise<void> {
    if (signal.aborted) return;
    // That the run has failed is told in any case.
    await this.#handOver(progress, signal).catch(() => {});
  }

  /** The resources of the cycle: all at once, or page by page for a pollster that takes pages. */
  async *#pages(cycle: Cycle, ctx: PollContext): AsyncGenerator<readonly Resource[]> {
    const { groups } = this.#settings;
    const { name, pollster } = this.entry;
    if (cycle.only !== undefined) {
      yield cycle.only;
      return;
    }
    const share = cycle.share ?? everything;
    const pollsters = groups?.pollsters(this.source);
    if (pollsters !== undefined && !share.owns(pollsters, name)) return;
    // A group shares pollsters or resources: in both, some pairs of the two would be nobody's.
    const part = pollsters === undefined ? 'ours' : 'all';
    const urls = discoveriesOf(this.source, this.entry);
    const stated = this.#stated(part === 'ours' ? groups : undefined, share);
    if (pollster.pagewise === true) {
      yield stated;
      for (const url of urls) yield* this.#read(url, part, cycle, ctx);
      return;
    }
    const found = [...stated];
    for (const url of urls) {
      for await (const page of this.#read(url, part, cycle, ctx)) for (const one of page) found.push(one);
    }
    yield found;
  }

  #read(url: string, part: ReadOptions['part'], cycle: Cycle, ctx: PollContext): AsyncIterable<readonly Resource[]> {
    const { deadline, discoverer, groups } = this.#settings;
    const { share = everything } = cycle;
    const isOurs: IsOurs | undefined =
      groups && ((group, { id }) => share.owns(group === null ? null : groups.found(group), id));
    const { namespace } = this.entry;
    const listing = discoverer.listing(url, namespace);
    const readers = listing === undefined ? 1 : cycle.plan.pageReaders(listing);
    // What others read, too, does not end with the time of this one.
    const signal = readers === 1 ? ctx.signal : cycle.signal;
    const bounds = { readers, patience: PATIENCE * deadline };
    return discoverer.pages(url, namespace, { ...ctx, signal }, { isOurs, part, bounds });
  }

  /** What the source lists itself, as far as it is this agent's. */
  #stated(shared: WorkGroups | undefined, share: Share): readonly Resource[] {
    const { resources } = this.source;
    const listed = shared && resources.length > 0 ? shared.listed(this.source) : null;
    return resources.filter((id) => shared === undefined || share.owns(listed, id)).map((id) => ({ id }));
  }

  /** Leaves out what was polled in this cycle already and what the driver does not support. */
  #unpolled(candidates: readonly Resource[], cycle: Cycle): Resource[] {
    const { name } = this.entry;
    const connections = this.#settings.host.connections();
    const polled = cycle.polled.get(name) ?? new Tally(cycle.ids);
    cycle.polled.set(name, polled);
    return candidates.filter(({ id }) => {
      if (polled.add(id) > 0) return false;
      return this.#leftOut.get(id) !== connections;
    });
  }

  #leaveOut(err: unknown): void {
    const { host } = this.#settings;
    const ids = resourceIdsOf(err);
    for (const id of ids) this.#leftOut.set(id, host.connections());
    const reason = describeError(err);
    const fields = { source: this.source.name, pollster: this.entry.name, resources: ids.length, reason };
    // What a driver does not support it supports for no resource that comes later either.
    const level = this.#toldOf.get(reason) === host.connections() ? 'debug' : 'info';
    this.#toldOf.set(reason, host.connections());
    host.log[level](fields, 'not supported here, left out');
  }

  #failed(err: unknown, samples: number, signal: AbortSignal): RunResult {
    const { host } = this.#settings;
    const where = { source: this.source.name, pollster: this.entry.name };
    const code = codeOf(err);
    if (code === 'ERR_NO_DATA') {
      host.log.debug({ ...where, reason: describeError(err) }, 'nothing to poll now');
      return { result: 'no_data', samples };
    }
    const failed = { result: signal.aborted ? 'timeout' : 'failed', samples, failure: describeError(err) } as const;
    if (isLogged(err)) return { ...failed, isLogged: true };
    return isExpected(err) ? failed : { ...failed, unexpected: err };
  }
}

/** Those of the source; the pollster's own where the source names neither discoveries nor resources. */
function discoveriesOf({ discovery, resources }: PollingSource, { pollster }: LoadedPollster): readonly string[] {
  if (resources.length > 0 || discovery.length > 0) return discovery;
  return pollster.discovery === undefined ? [] : [pollster.discovery];
}

/** One of ours, or what the system said to a call: a file that is not there, a device that does not answer. */
function isExpected(err: unknown): boolean {
  if (EXPECTED.has(codeOf(err) ?? '')) return true;
  for (let cause = err, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if ('syscall' in cause) return true;
  }
  return false;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
function resourceIdsOf(err: unknown): readonly string[] {
  const ids: unknown = (err as { resourceIds?: unknown }).resourceIds;
  return Array.isArray(ids) ? ids.filter((id: unknown) => typeof id === 'string') : [];
}
