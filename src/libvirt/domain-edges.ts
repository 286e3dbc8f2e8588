import { describeError, ServiceError } from '../errors.ts';
import type { Logger } from '../plugin.ts';
import { monotonicSeconds } from '../sample.ts';
import type { LibvirtClient } from './client.ts';
import { SHUT_OFF, SHUTDOWN } from './domain-state.ts';
import { BY_MIGRATION, LIFECYCLE_EVENT, type LifecycleEvent } from './events.ts';
import type { Domain, DomainEdge, DomainStats } from './inspector.ts';
import { isWhole, LastReadings, type LastReadingsOptions, type Reading } from './last-readings.ts';
import { allDomainStats, domainXml, STATS_GROUPS, STATS_NOWAIT } from './procedures.ts';
import type { DomainRef } from './rpc.ts';
import { named } from './troubles.ts';

export interface DomainEdgesOptions {
  readonly listener: (edge: DomainEdge) => void;
  /** Milliseconds for one call. */
  readonly timeout: number;
  readonly log: Logger;
  /** The domain as it is known already, if it is. */
  readonly current: (domain: DomainRef) => Domain | undefined;
  /** Asks for the statistics of domains that have started lately. */
  readonly read: LastReadingsOptions['read'];
  readonly signal: AbortSignal;
}

/** What was read of a domain that may end; undefined when libvirt told nothing any more. */
interface Ending {
  readonly id: number;
  readonly captured: Promise<Reading | undefined>;
}

/** Domains that wait to be read after their start. More of them wait for the next cycle. */
const STARTS_MAX = 1_000;

/**
 * Reads domains at their start and before their end. libvirt tells of an end in two steps: of what leads to it, when
 * QEMU stands still but is there, and then of the end itself, when nothing can be read any more. What is read at the
 * first is held until the second, for a paused domain may go on as well.
 *
 * At a shutdown QEMU's driver ends the process within milliseconds, so that what the first answers is hardly ever all,
 * and it is nothing where the process was killed. What was read before is told then, as what it is.
 */
export class DomainEdges {
  readonly #options: DomainEdgesOptions;
  readonly #endings = new Map<string, Ending>();
  /** The connection that the endings were read on. */
  #client: LibvirtClient | undefined;
  #starts: { readonly domain: DomainRef; readonly client: LibvirtClient }[] = [];
  #starting = false;
  readonly #readings: LastReadings;

  constructor(options: DomainEdgesOptions) {
    this.#options = options;
    const vanished = (reading: Reading) => this.#endedUnread(reading);
    this.#readings = new LastReadings({ ...options, vanished });
  }

  /** Somebody has read domains. */
  noteRead(domains: readonly Domain[], said: ReadonlyMap<string, DomainStats>): void {
    this.#readings.note(domains, said);
  }

  note({ domain, event, detail }: LifecycleEvent, client: LibvirtClient): void {
    if (client !== this.#client) {
      // Nobody told meanwhile whether they went on.
      this.#endings.clear();
      this.#client = client;
    }
    switch (event) {
      case LIFECYCLE_EVENT.STARTED:
        // A domain that comes from another host does not answer before it goes on here.
        if (detail !== BY_MIGRATION) this.#started(domain, client);
        return;
      case LIFECYCLE_EVENT.RESUMED:
        this.#endings.delete(domain.uuid);
        if (detail === BY_MIGRATION) this.#started(domain, client);
        return;
      case LIFECYCLE_EVENT.SUSPENDED:
      case LIFECYCLE_EVENT.SHUTDOWN:
        this.#mayEnd(domain, client, event === LIFECYCLE_EVENT.SHUTDOWN);
        return;
      case LIFECYCLE_EVENT.STOPPED:
        void this.#ended(domain);
        return;
    }
  }

  #started(domain: DomainRef, client: LibvirtClient): void {
    const { log } = this.#options;
    if (this.#starts.length >= STARTS_MAX) {
      log.warn(named(domain), 'too many domains start at once, this one waits for the next cycle');
      return;
    }
    this.#starts.push({ domain, client });
    if (!this.#starting) void this.#readStarts();
  }

  /** One after the other: they can wait, unlike the ends. */
  async #readStarts(): Promise<void> {
    const { listener, log, signal } = this.#options;
    this.#starting = true;
    for (let next = this.#starts.shift(); next !== undefined; next = this.#starts.shift()) {
      if (signal.aborted) break;
      const { domain, client } = next;
      try {
        const captured = await this.#capture(domain, client, false);
        if (signal.aborted) break;
        listener({ kind: 'start', ...captured });
        this.#readings.follow(captured.domain, captured.stats);
      } catch (error) {
        log.info({ ...named(domain), reason: describeError(error) }, 'domain could not be read at its start');
      }
    }
    this.#starting = false;
  }

  #mayEnd(domain: DomainRef, client: LibvirtClient, shutdown: boolean): void {
    const before = this.#endings.get(domain.uuid);
    const captured = this.#capture(domain, client, shutdown).catch(() =>
      before?.id === domain.id ? before.captured : undefined,
    );
    this.#endings.set(domain.uuid, { id: domain.id, captured });
  }

  async #ended(domain: DomainRef): Promise<void> {
    const { listener, log, signal } = this.#options;
    const ending = this.#endings.get(domain.uuid);
    this.#endings.delete(domain.uuid);
    const last = this.#readings.take(domain);
    const captured = await ending?.captured;
    if (signal.aborted) return;
    if (last !== undefined && (captured === undefined || !isWhole(captured.stats))) this.#endedUnread(last);
    if (captured !== undefined) listener({ kind: 'end', ...captured });
    else if (last === undefined) log.info(named(domain), 'domain ended before it could be read');
  }

  #endedUnread({ domain, stats }: Reading): void {
    const { listener, log } = this.#options;
    const age = Math.round((monotonicSeconds() - stats.monotonicTime) * 1000) / 1000;
    log.info(
      { ...named(domain), seconds: age },
      'domain ended before all of it could be read, its last reading counts',
    );
    listener({ kind: 'last', domain, stats });
  }

  /** Asks at once: at a shutdown there are some milliseconds. */
  async #capture(domain: DomainRef, client: LibvirtClient, shutdown: boolean): Promise<Reading> {
    const { current, timeout, signal } = this.#options;
    const calls = { timeout, signal };
    const ask = (flags: number) =>
      client.call(allDomainStats, { domains: [domain], groups: STATS_GROUPS, flags }, calls);
    // At a shutdown the monitor does not answer any more, and libvirt counts the vCPUs after it has waited for it: too
    // late. While one call waits so, another one that may not wait is answered at once, without the monitor.
    const said = shutdown ? Promise.any([ask(STATS_NOWAIT), ask(STATS_NOWAIT)]) : ask(0);
    const known = current(domain);
    const xml = known === undefined ? client.call(domainXml, domain, calls) : known.xml;
    const [reply, text] = await Promise.all([said, xml]);
    const record = reply.records[0];
    if (record === undefined || record.domain.id !== domain.id || record.stats.state === SHUT_OFF) {
      throw new ServiceError('it was gone already');
    }
    const { uuid, name, id } = domain;
    return { domain: known ?? { uuid, name, id, xml: text }, stats: withoutWreckage(record.stats) };
  }
}

/**
 * A QEMU that is shutting down has no threads any more at some point, which libvirt tells as vCPUs that never ran. The
 * time of the whole domain goes with them, for it is another counter.
 */
function withoutWreckage(stats: DomainStats): DomainStats {
  if (stats.state !== SHUTDOWN || !stats.vcpus.some((vcpu) => vcpu?.time === 0n)) return stats;
  const { cpuTime: _, ...rest } = stats;
  return { ...rest, vcpus: [] };
}
