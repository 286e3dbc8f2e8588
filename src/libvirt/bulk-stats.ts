import { PermanentPollError, ServiceError } from '../errors.ts';
import { workQueue } from '../util/work-queue.ts';
import { NoAnswerError } from './client.ts';
import { ConnectionError, isNoDomain, isUnsupported, UnreachableError } from './errors.ts';
import type { Domain, DomainStats } from './inspector.ts';
import { probeDomain } from './probe.ts';
import { allDomainStats, STATS_GROUPS, STATS_GROUPS_UNASKED, STATS_NOWAIT } from './procedures.ts';
import { HUNG_BULK_MAX } from './request-slots.ts';
import type { StatsReply } from './stats-decode.ts';
import { mayHang, type StatsParts } from './stats-parts.ts';

/**
 * `wait` for the domains, `nowait` for one that somebody else has the monitor of but else wait all the same, or leave
 * the domains alone and take what libvirt knows by itself.
 */
type Manner = 'wait' | 'nowait' | 'alone';

interface Batch {
  readonly domains: readonly Domain[];
  readonly manner: Manner;
  /** The domains are in quarantine. */
  readonly apart: boolean;
  /** What is not answered now is not asked again in this cycle. */
  readonly last?: true;
}

/** Domains in one call at most: it stays far below its deadline and the largest message, however many there are. */
const BATCH_MAX = 50;
const PART = 'statistics';

/**
 * Reads the statistics of the domains through a few calls over disjoint lists. A list that is late, refused or
 * garbled is narrowed down until the domain at fault is known; the others' statistics are kept.
 *
 * A domain that does not answer is quarantined: from then on it is asked apart, for what libvirt knows by itself,
 * until it answers again.
 */
export async function readBulkStats(
  parts: StatsParts,
  domains: readonly Domain[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DomainStats>> {
  const read = new BulkRead(parts, signal);
  await read.all(domains);
  return read.results;
}

/** One reading of many domains, in rounds: each narrows down what the one before met. */
class BulkRead {
  readonly results = new Map<string, DomainStats>();
  readonly #parts: StatsParts;
  readonly #signal: AbortSignal;
  #next: Batch[] = [];
  #unaskable: Domain[] = [];
  /** Calls that nobody stands behind in the queue. */
  #stragglers: Promise<void>[] = [];
  #fatal: { readonly error: unknown } | undefined;

  constructor(parts: StatsParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  async all(domains: readonly Domain[]): Promise<void> {
    const { quarantine, parallel } = this.#parts;
    const quarantined = quarantine.size === 0 ? [] : domains.filter(({ uuid }) => quarantine.has(uuid));
    const healthy = quarantined.length === 0 ? domains : domains.filter(({ uuid }) => !quarantine.has(uuid));
    const held = quarantined.filter(({ uuid }) => quarantine.isHeld(uuid));
    const free = quarantined.filter(({ uuid }) => !quarantine.isHeld(uuid));
    const probes = free.filter(({ uuid }) => quarantine.isDue(uuid));
    const due = new Set(probes);
    const probing = workQueue(
      probes,
      () => parallel,
      (domain) => probeDomain(this.#parts, domain, (stats) => this.results.set(domain.uuid, stats)),
    );
    let round: readonly Batch[] = [
      ...split(healthy, parallel).map((list): Batch => ({ domains: list, manner: 'wait', apart: false })),
      ...split(held).map((list): Batch => ({ domains: list, manner: 'nowait', apart: true })),
      ...split(free.filter((domain) => !due.has(domain))).map(alone),
    ];
    while (round.length > 0) round = await this.#round(round);
    await probing;
    const untold = probes.filter(({ uuid }) => !this.results.has(uuid));
    await this.#round(split(untold).map(alone));
  }

  async #round(batches: readonly Batch[]): Promise<readonly Batch[]> {
    this.#next = [];
    this.#unaskable = [];
    this.#stragglers = [];
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
    if (this.#fatal !== undefined) return;
    if (!this.#mayAsk(batch)) {
      this.#parts.quarantine.postpone(batch.domains);
      this.#unaskable.push(...batch.domains);
      return;
    }
    const { bulk, apart, pace } = this.#parts;
    const started = performance.now();
    const query = {
      domains: batch.domains,
      groups: batch.manner === 'alone' ? STATS_GROUPS_UNASKED : STATS_GROUPS,
      flags: batch.manner === 'nowait' ? STATS_NOWAIT : 0,
    };
    const { answer, patience } = (batch.apart ? apart : bulk).call(allDomainStats, query, {
      ...(batch.domains.length > 1 || batch.manner === 'wait' ? pace.bulk : pace.single),
      signal: this.#signal,
      onLate: (answered) => this.#ended(batch, answered ? performance.now() - started : undefined),
    });
    const handled = answer
      .then((reply) => {
        if (batch.manner === 'wait') pace.note(performance.now() - started);
        this.#take(batch, reply);
      })
      .catch((error: unknown) => this.#failed(batch, error));
    this.#stragglers.push(handled);
    if (await patience) await handled;
  }

  #mayAsk({ manner, apart }: Batch): boolean {
    if (apart) return true;
    return manner === 'wait' ? mayHang(this.#parts, HUNG_BULK_MAX) : mayHang(this.#parts);
  }

  #take(batch: Batch, reply: StatsReply): void {
    const { quarantine, troubles, onChanged } = this.#parts;
    const { manner } = batch;
    const missing = new Map(batch.domains.map((domain) => [domain.uuid, domain]));
    for (const { domain, stats, complete } of reply.records) {
      const asked = missing.get(domain.uuid);
      if (asked === undefined) continue;
      missing.delete(domain.uuid);
      this.results.set(domain.uuid, manner === 'alone' ? withoutCpuTime(stats) : stats);
      if (domain.id !== asked.id) onChanged(asked);
      if (complete || manner === 'wait') quarantine.answered(domain.uuid);
      else if (manner === 'nowait') this.#busy(batch, asked);
      troubles.told(asked, PART);
    }
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

  #failed(batch: Batch, error: unknown): void {
    if (error instanceof NoAnswerError) this.#late(batch, error);
    else if (error instanceof ConnectionError || error instanceof UnreachableError || this.#signal.aborted)
      this.#fatal ??= { error };
    else if (isUnsupported(error)) this.#fatal ??= { error: unsupported(batch.domains, error) };
    else this.#narrow(batch, batch.domains, error);
  }

  #late(batch: Batch, error: unknown): void {
    const { quarantine, log } = this.#parts;
    const { domains, manner, apart, last } = batch;
    const [domain] = domains;
    if (manner === 'alone') {
      log.debug({ domains: domains.length, err: error }, 'libvirt does not tell what it knows of domains by itself');
    } else if (manner === 'wait' || domain === undefined || domains.length > 1) {
      this.#next.push(...domains.map((one): Batch => ({ domains: [one], manner: 'nowait', apart })));
    } else {
      quarantine.hold(domain, true);
      // The call that hangs has the monitor now, so that the same call is answered with what there is.
      if (!last) this.#next.push({ domains, manner: 'nowait', apart: true, last: true });
    }
  }

  /** A call that was given up has ended. */
  #ended({ domains, manner }: Batch, lasted: number | undefined): void {
    const { quarantine, pace } = this.#parts;
    const [first, second] = domains;
    if (manner === 'wait' && lasted !== undefined) pace.note(lasted);
    if (manner === 'nowait' && first !== undefined && second === undefined) quarantine.unhung(first.uuid);
    else for (const { uuid } of domains) quarantine.freed(uuid);
  }

  /** Halves the list, or settles the last domain of it. */
  #narrow(batch: Batch, list: readonly Domain[], error: unknown): void {
    const [first, second] = list;
    if (first === undefined) return;
    if (second === undefined) {
      if (isNoDomain(error)) this.#vanished(first);
      else this.#parts.troubles.failed(first, PART, error);
      return;
    }
    const middle = Math.ceil(list.length / 2);
    for (const half of [list.slice(0, middle), list.slice(middle)]) this.#next.push({ ...batch, domains: half });
  }

  #vanished(domain: Domain): void {
    const { log, troubles, quarantine, onChanged } = this.#parts;
    log.debug({ domain: domain.uuid, name: domain.name }, 'domain went away before its statistics were read');
    troubles.forget(domain.uuid);
    quarantine.forget(domain.uuid);
    onChanged(domain);
  }
}

function alone(domains: readonly Domain[]): Batch {
  return { domains, manner: 'alone', apart: true };
}

/** Disjoint lists of about the same length, at least so many where there are enough domains. */
function split(domains: readonly Domain[], least = 1): readonly (readonly Domain[])[] {
  const count = Math.max(Math.min(least, domains.length), Math.ceil(domains.length / BATCH_MAX));
  return Array.from({ length: count }, (_, index) =>
    domains.slice((index * domains.length) / count, ((index + 1) * domains.length) / count),
  );
}

/** What the vCPUs used is not known here, and the domain's time must not pass for it: the two are far apart. */
function withoutCpuTime(stats: DomainStats): DomainStats {
  const { cpuTime: _, ...rest } = stats;
  return rest;
}

function unsupported(domains: readonly Domain[], cause: unknown): PermanentPollError {
  return new PermanentPollError(
    'the libvirt driver has no statistics in bulk',
    domains.map((domain) => domain.uuid),
    { cause },
  );
}
