import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';
import { workQueue } from '../util/work-queue.ts';
import { NoAnswerError } from './client.ts';
import { ConnectionError, isNoDomain, isUnsupported, UnreachableError } from './errors.ts';
import type { Domain, DomainStats } from './inspector.ts';
import { probeDomain } from './probe.ts';
import {
  allDomainStats,
  libVersion,
  STATS_GROUPS,
  STATS_GROUPS_BULK,
  STATS_GROUPS_UNASKED,
  STATS_NOWAIT,
} from './procedures.ts';
import { HUNG_BULK_MAX } from './request-slots.ts';
import {
  alone,
  type Batch,
  lacksCpuTime,
  shortFirst,
  split,
  together,
  unsupported,
  withoutCpuTime,
} from './stats-batch.ts';
import type { StatsRecord, StatsReply } from './stats-decode.ts';
import { mayHang, type StatsParts } from './stats-parts.ts';

const PART = 'statistics';

/**
 * Reads the statistics of the domains through a few calls over disjoint lists, and tells of them answer by answer: of
 * each domain once, what libvirt knows without asking it last. A list that is late, refused or garbled is narrowed down
 * until the domain at fault is known; the others' statistics are kept.
 *
 * A domain that does not answer is quarantined: from then on it is asked apart, for what libvirt knows by itself,
 * until it answers again.
 */
export async function readBulkStats(
  parts: StatsParts,
  domains: readonly Domain[],
  signal: AbortSignal,
  told: (some: ReadonlyMap<string, DomainStats>) => void,
): Promise<void> {
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const follow = () => over.abort(signal.reason);
  signal.addEventListener('abort', follow, { once: true });
  try {
    signal.throwIfAborted();
    await new BulkRead(parts, domains, over.signal, told).all();
  } finally {
    signal.removeEventListener('abort', follow);
    over.abort(new ServiceError('the statistics were read without this call'));
  }
}

/** One reading of many domains, in rounds: each narrows down what the one before met. */
class BulkRead {
  readonly #parts: StatsParts;
  readonly #domains: readonly Domain[];
  readonly #signal: AbortSignal;
  readonly #told: (some: ReadonlyMap<string, DomainStats>) => void;
  /** Domains of which all was said. */
  readonly #done = new Set<string>();
  /** What libvirt knows of others without asking them, which counts where nothing better comes. */
  readonly #partial = new Map<string, DomainStats>();
  /** Domains of which nothing was said so far. */
  readonly #open: Set<string>;
  /** Calls that have not been answered. */
  readonly #underWay = new Set<Promise<void>>();
  #next: Batch[] = [];
  #unaskable: Domain[] = [];
  /** What the round waits for besides its queue. */
  #stragglers: Promise<void>[] = [];
  /** Whether it may be libvirt that does not answer, not a domain. */
  #doubtful = false;
  /** When domains that could not be asked so far are given up. */
  #patientUntil = 0;
  #fatal: { readonly error: unknown } | undefined;

  constructor(
    parts: StatsParts,
    domains: readonly Domain[],
    signal: AbortSignal,
    told: (some: ReadonlyMap<string, DomainStats>) => void,
  ) {
    this.#parts = parts;
    this.#told = told;
    this.#domains = domains;
    this.#open = new Set(domains.map(({ uuid }) => uuid));
    this.#signal = signal;
  }

  async all(): Promise<void> {
    const { quarantine, pace, parallel } = this.#parts;
    const domains = this.#domains;
    const quarantined = quarantine.size === 0 ? [] : domains.filter(({ uuid }) => quarantine.has(uuid));
    const healthy = quarantined.length === 0 ? domains : domains.filter(({ uuid }) => !quarantine.has(uuid));
    const held = quarantined.filter(({ uuid }) => quarantine.isHeld(uuid));
    const free = quarantined.filter(({ uuid }) => !quarantine.isHeld(uuid));
    const probes = free.filter(({ uuid }) => quarantine.isDue(uuid));
    const due = new Set(probes);
    const probing = workQueue(
      probes,
      () => parallel,
      (domain) => probeDomain(this.#parts, domain, (record) => this.#tell([record])),
    );
    const inBulk = together(healthy, parallel);
    let round: readonly Batch[] = [
      // Nobody has seen a sample yet, and should soon.
      ...(pace.isKnown ? inBulk : shortFirst(inBulk)),
      ...split(held).map((list): Batch => ({ domains: list, manner: 'nowait', apart: true })),
      ...split(free.filter((domain) => !due.has(domain))).map(alone),
    ];
    while (round.length > 0) {
      if (this.#doubtful) await this.#assertAlive();
      round = await this.#round(round);
    }
    await probing;
    await this.#round(split(probes.filter(({ uuid }) => this.#open.has(uuid))).map(alone));
    // Where libvirt is only slow, what was asked first may be answered still.
    while (this.#open.size > 0 && this.#underWay.size > 0) await Promise.race(this.#underWay);
    if (this.#fatal !== undefined) throw this.#fatal.error;
    if (this.#partial.size > 0) this.#told(this.#partial);
  }

  async #round(batches: readonly Batch[]): Promise<readonly Batch[]> {
    this.#next = [];
    this.#unaskable = [];
    this.#stragglers = [];
    this.#patientUntil = performance.now() + this.#parts.pace.single.late;
    const queue = (list: readonly Batch[]) =>
      workQueue(
        list,
        () => this.#parts.parallel,
        (batch) => this.#read(batch),
      );
    await Promise.all([queue(batches.filter(({ apart }) => !apart)), queue(batches.filter(({ apart }) => apart))]);
    await Promise.all(this.#stragglers);
    if (this.#fatal !== undefined) throw this.#fatal.error;
    return [...this.#next, ...split(this.#unaskable).map(alone)];
  }

  /** Resolves when the answer was taken, or when others should not wait behind it. */
  async #read(batch: Batch): Promise<void> {
    while (!this.#mayAsk(batch) && this.#fatal === undefined && performance.now() < this.#patientUntil) await sleep(20);
    if (this.#fatal !== undefined) return;
    if (!this.#mayAsk(batch)) {
      this.#parts.quarantine.postpone(batch.domains);
      this.#unaskable.push(...batch.domains);
      return;
    }
    const { bulk, apart, pace } = this.#parts;
    const started = performance.now();
    const groups = this.#groups(batch);
    const query = {
      domains: batch.domains,
      groups,
      flags: batch.manner === 'nowait' ? STATS_NOWAIT : 0,
    };
    const { answer, patience, inTime } = (batch.apart ? apart : bulk).call(allDomainStats, query, {
      ...(batch.domains.length > 1 || batch.manner === 'wait' ? pace.bulk : pace.single),
      signal: this.#signal,
      onLate: (answered) => this.#ended(batch, answered ? performance.now() - started : undefined),
    });
    let late = false;
    const handled = answer
      .then(
        (reply) => {
          if (late || batch.manner === 'wait') this.#ended(batch, performance.now() - started);
          this.#take(batch, reply, !late && groups === STATS_GROUPS_BULK);
        },
        (error: unknown) => this.#failed(batch, error, late),
      )
      .finally(() => this.#underWay.delete(handled));
    this.#underWay.add(handled);
    const step = inTime.then((settled) => {
      if (settled) return handled;
      late = true;
      return this.#late(batch);
    });
    this.#stragglers.push(step);
    if (await patience) await handled;
  }

  /**
   * The first time that libvirtd is asked for the CPU time of a domain, it looks at the whole machine for seconds, and
   * whoever asks for the same waits: a domain that is asked once more because another one hangs must not be late for it.
   */
  #groups({ manner, apart, last, withCpu }: Batch): number {
    if (manner === 'alone') return STATS_GROUPS_UNASKED;
    const settled = apart || last === true || withCpu === true || this.#parts.withCpu;
    return settled ? STATS_GROUPS : STATS_GROUPS_BULK;
  }

  /** Throws where libvirt as a whole does not answer, so that no domain is blamed for it. */
  async #assertAlive(): Promise<void> {
    const { bulk, pace } = this.#parts;
    await bulk.call(libVersion, undefined, { ...pace.single, signal: this.#signal }).answer;
    this.#doubtful = false;
  }

  #mayAsk({ manner, apart }: Batch): boolean {
    if (apart) return true;
    return manner === 'wait' ? mayHang(this.#parts, HUNG_BULK_MAX) : mayHang(this.#parts);
  }

  /** `mayLack` where the time of whole domains was not asked for, and can be still. */
  #take(batch: Batch, reply: StatsReply, mayLack: boolean): void {
    const { quarantine, troubles, onChanged } = this.#parts;
    const { manner } = batch;
    const missing = new Map(batch.domains.map((domain) => [domain.uuid, domain]));
    const news: StatsRecord[] = [];
    const lacking: Domain[] = [];
    for (const { domain, stats, complete } of reply.records) {
      const asked = missing.get(domain.uuid);
      if (asked === undefined) continue;
      missing.delete(domain.uuid);
      const all = complete || manner === 'wait';
      const lacks = mayLack && all && lacksCpuTime(stats);
      if (lacks) lacking.push(asked);
      const whole = all && !lacks;
      news.push({ domain, stats: manner === 'alone' && !whole ? withoutCpuTime(stats) : stats, complete: whole });
      if (domain.id !== asked.id) onChanged(asked);
      if (all) quarantine.answered(domain.uuid);
      else if (manner === 'nowait') this.#busy(batch, asked);
      troubles.told(asked, PART);
    }
    this.#tell(news);
    if (lacking.length > 0) this.#next.push({ ...batch, domains: lacking, withCpu: true });
    if (manner === 'wait' && lacking.length > news.length / 2) this.#parts.withCpu = true;
    if (reply.garbled === undefined) for (const domain of missing.values()) this.#vanished(domain);
    else this.#narrow(batch, [...missing.values()], new ServiceError(`garbled statistics: ${reply.garbled}`));
  }

  /** Somebody's call has the domain's monitor, for longer than others need it if it still does the next moment. */
  #busy({ apart, last }: Batch, domain: Domain): void {
    const { quarantine } = this.#parts;
    if (!apart && !last) this.#next.push({ domains: [domain], manner: 'nowait', apart, last: true });
    // One that was let out of quarantine meanwhile has answered since this call was made.
    else if (!apart || last || quarantine.has(domain.uuid)) quarantine.hold(domain, false);
  }

  #tell(records: readonly StatsRecord[]): void {
    const some = new Map<string, DomainStats>();
    for (const { domain, stats, complete } of records) {
      const { uuid } = domain;
      if (this.#done.has(uuid)) continue;
      // What is known without asking is not put in the place of what was asked.
      if (!complete && (this.#open.has(uuid) || this.#completes(uuid, stats))) this.#partial.set(uuid, stats);
      this.#open.delete(uuid);
      if (!complete) continue;
      this.#partial.delete(uuid);
      this.#done.add(uuid);
      some.set(uuid, stats);
    }
    if (some.size > 0) this.#told(some);
  }

  /** Whether the CPU time has come that was left out at first. */
  #completes(uuid: string, stats: DomainStats): boolean {
    const before = this.#partial.get(uuid);
    return before !== undefined && lacksCpuTime(before) && !lacksCpuTime(stats);
  }

  #failed(batch: Batch, error: unknown, late: boolean): void {
    if (error instanceof ConnectionError || error instanceof UnreachableError || this.#signal.aborted)
      this.#fatal ??= { error };
    else if (isUnsupported(error)) this.#fatal ??= { error: unsupported(batch.domains, error) };
    // What is late has been asked in another way.
    else if (!late && !(error instanceof NoAnswerError)) this.#narrow(batch, batch.domains, error);
  }

  /** Asks for the domains in another way. */
  #late(batch: Batch): void {
    const { manner, apart, last } = batch;
    const domains = batch.domains.filter(({ uuid }) => this.#open.has(uuid));
    const [domain] = domains;
    if (manner === 'alone' || domain === undefined) return;
    if (manner === 'wait' || batch.domains.length > 1) {
      this.#doubtful = true;
      this.#next.push(...domains.map((one): Batch => ({ domains: [one], manner: 'nowait', apart })));
    } else {
      this.#parts.quarantine.hold(domain, true);
      // The call that hangs has the monitor now, so that the same call is answered with what there is.
      if (!last) this.#next.push({ domains, manner: 'nowait', apart: true, last: true });
    }
  }

  /** A call that was late, or given up, has ended; `lasted` where that was by an answer. */
  #ended({ domains, manner, short }: Batch, lasted: number | undefined): void {
    const { quarantine, pace } = this.#parts;
    const [first, second] = domains;
    if (manner === 'wait' && short !== true && lasted !== undefined) pace.note(lasted);
    if (manner === 'nowait' && first !== undefined && second === undefined) quarantine.unhung(first.uuid);
    else for (const { uuid } of domains) quarantine.freed(uuid);
  }

  /** Halves the list, or settles the last domain of it. */
  #narrow(batch: Batch, list: readonly Domain[], error: unknown): void {
    const [first, second] = list;
    if (first === undefined) return;
    if (second === undefined) {
      if (isNoDomain(error)) this.#vanished(first);
      else {
        this.#open.delete(first.uuid);
        this.#parts.troubles.failed(first, PART, error);
      }
      return;
    }
    const middle = Math.ceil(list.length / 2);
    for (const half of [list.slice(0, middle), list.slice(middle)]) this.#next.push({ ...batch, domains: half });
  }

  #vanished(domain: Domain): void {
    const { log, troubles, quarantine, onChanged } = this.#parts;
    this.#open.delete(domain.uuid);
    log.debug({ domain: domain.uuid, name: domain.name }, 'domain went away before its statistics were read');
    troubles.forget(domain.uuid);
    quarantine.forget(domain.uuid);
    onChanged(domain);
  }
}
