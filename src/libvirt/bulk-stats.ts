import { PermanentPollError, ServiceError } from '../errors.ts';
import type { Logger } from '../plugin.ts';
import { workQueue } from '../util/work-queue.ts';
import { type LibvirtClient, NoAnswerError } from './client.ts';
import { ConnectionError, isNoDomain, isUnsupported } from './errors.ts';
import type { Domain, DomainStats } from './inspector.ts';
import { allDomainStats, STATS_NOWAIT } from './procedures.ts';
import { assertAlive, freeSlots } from './request-slots.ts';
import type { DomainTroubles } from './troubles.ts';

export interface BulkStatsOptions {
  /** Milliseconds for one call. */
  readonly timeout: number;
  /** Calls in flight at once. */
  readonly parallel: number;
  readonly log: Logger;
}

interface Batch {
  readonly domains: readonly Domain[];
  /** Leave out what is busy instead of waiting for it. */
  readonly nowait: boolean;
}

/** Domains in one call at most: it stays far below its deadline and the largest message, however many there are. */
const BATCH_MAX = 50;
/** Milliseconds for a call about one domain that does not wait for it. */
const SINGLE_TIMEOUT = 2_000;
const PART = 'statistics';

/**
 * Reads the statistics of the domains through a few calls over disjoint lists. A list that is late, refused or
 * garbled is narrowed down until the domain at fault is known; the others' statistics are kept.
 *
 * A domain that does not answer is from then on asked apart and without waiting, which gives what libvirt knows by
 * itself (state, cpu, interfaces), until it answers again.
 */
export async function readBulkStats(
  client: LibvirtClient,
  domains: readonly Domain[],
  troubles: DomainTroubles,
  options: BulkStatsOptions & { readonly signal: AbortSignal; readonly onChanged: (domain: Domain) => void },
): Promise<ReadonlyMap<string, DomainStats>> {
  const results = new Map<string, DomainStats>();
  const { parallel, signal, onChanged, log } = options;

  async function read(batch: Batch, add: (batches: readonly Batch[]) => void): Promise<void> {
    const timeout = batch.nowait ? Math.min(options.timeout, SINGLE_TIMEOUT) : options.timeout;
    try {
      const query = { domains: batch.domains, flags: batch.nowait ? STATS_NOWAIT : 0 };
      const reply = await client.call(allDomainStats, query, { timeout, signal });
      const missing = new Map(batch.domains.map((domain) => [domain.uuid, domain]));
      for (const { domain, stats, complete } of reply.records) {
        const asked = missing.get(domain.uuid);
        if (asked === undefined) continue;
        missing.delete(domain.uuid);
        results.set(domain.uuid, stats);
        if (domain.id !== asked.id) onChanged(asked);
        if (batch.nowait && !complete) troubles.stuck(asked);
        else troubles.answered(asked);
        troubles.told(asked, PART);
      }
      if (reply.garbled === undefined) for (const domain of missing.values()) vanished(domain);
      else narrow([...missing.values()], new ServiceError(`garbled statistics: ${reply.garbled}`), batch, add);
    } catch (error) {
      if (error instanceof ConnectionError || signal.aborted) throw error;
      if (isUnsupported(error)) throw unsupported(batch.domains, error);
      if (error instanceof NoAnswerError) await late(batch, error, add);
      else narrow(batch.domains, error, batch, add);
    }
  }

  function vanished(domain: Domain): void {
    log.debug({ domain: domain.uuid, name: domain.name }, 'domain went away before its statistics were read');
    troubles.forget(domain.uuid);
    onChanged(domain);
  }

  /** Halves the list, or settles the last domain of it. */
  function narrow(
    list: readonly Domain[],
    error: unknown,
    batch: Batch,
    add: (batches: readonly Batch[]) => void,
  ): void {
    const [first, second] = list;
    if (first === undefined) return;
    if (second === undefined) {
      if (isNoDomain(error)) vanished(first);
      else troubles.failed(first, PART, error);
      return;
    }
    const middle = Math.ceil(list.length / 2);
    add([
      { ...batch, domains: list.slice(0, middle) },
      { ...batch, domains: list.slice(middle) },
    ]);
  }

  async function late(batch: Batch, error: unknown, add: (batches: readonly Batch[]) => void): Promise<void> {
    await assertAlive(client, error, { timeout: options.timeout, signal });
    if (!batch.nowait) add(singly(batch.domains));
    else for (const domain of batch.domains) troubles.stuck(domain);
  }

  const stuck = domains.filter((domain) => troubles.isStuck(domain.uuid));
  const healthy = stuck.length === 0 ? domains : domains.filter((domain) => !troubles.isStuck(domain.uuid));
  await workQueue([...singly(stuck), ...batches(healthy, parallel)], () => freeSlots(client, parallel), read);
  return results;
}

function singly(domains: readonly Domain[]): readonly Batch[] {
  return domains.map((domain) => ({ domains: [domain], nowait: true }));
}

/** Disjoint lists of about the same length. */
function batches(domains: readonly Domain[], parallel: number): readonly Batch[] {
  const count = Math.max(Math.min(parallel, domains.length), Math.ceil(domains.length / BATCH_MAX));
  return Array.from({ length: count }, (_, index) => ({
    domains: domains.slice((index * domains.length) / count, ((index + 1) * domains.length) / count),
    nowait: false,
  }));
}

function unsupported(domains: readonly Domain[], cause: unknown): PermanentPollError {
  return new PermanentPollError(
    'the libvirt driver has no statistics in bulk',
    domains.map((domain) => domain.uuid),
    { cause },
  );
}
