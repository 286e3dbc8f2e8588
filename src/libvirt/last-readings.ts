/** What was read last of the domains: all that is left of one that ends without an answer. */
import { describeError } from '../errors.ts';
import type { Logger } from '../plugin.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { SHUT_OFF, SHUTDOWN } from './domain-state.ts';
import type { Domain, DomainStats } from './inspector.ts';
import type { DomainRef } from './rpc.ts';
import { isComplete } from './stats-decode.ts';
import { named } from './troubles.ts';

export interface LastReadingsOptions {
  /** Asks for the statistics, in bulk and with a deadline. */
  readonly read: (domains: readonly Domain[], signal: AbortSignal) => Promise<ReadonlyMap<string, DomainStats>>;
  /** Told of a domain that is gone although nobody told of its end. */
  readonly vanished: (reading: Reading) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export interface Reading {
  readonly domain: Domain;
  readonly stats: DomainStats;
}

interface Followed extends Reading {
  domain: Domain;
  stats: DomainStats;
  /** What was read at its start, or by a cycle when it was first seen, which is told already. */
  readonly first: DomainStats;
  /** On the monotonic clock, as the next one; long ago where nobody saw it start. */
  readonly since: number;
  readAt: number;
  /** Whether it was seen to start, and no reading between the slots has tried it since. */
  isNew: boolean;
  /** Times in a row that it was not there. */
  absent: number;
}

/** Milliseconds between two readings of a domain, at least and at most. */
const PAUSE_MIN = 1_000;
const PAUSE_MAX = 60_000;
/** Part of its life so far after which a domain is read again, and of the time that goes by which readings take. */
const SHARE = 1 / 8;
/** Milliseconds by which a reading may come too early, to be made together with others. */
const TOGETHER = 250;
/** More domains than these are not followed: those that started last are. */
const FOLLOWED_MAX = 1_000;

/**
 * Follows domains, from their start on where somebody saw it. What is lost with one that ends is then at most the last
 * eighth of its life, or a second, and never more than a minute. What cycles read counts, so that one is read between
 * the slots only where these are further apart. The readings never take more than an eighth of the time: where libvirt
 * is slow, they are further apart, too. Only the first of a domain that has started does not wait for that, or a short
 * life would leave nothing.
 */
export class LastReadings {
  readonly #options: LastReadingsOptions;
  readonly #clock: Clock;
  readonly #followed = new Map<string, Followed>();
  #atWork = false;
  /** Until when libvirt is left alone with domains that were read before. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  /** Ends the pause before its time. */
  #wake = new AbortController();

  constructor(options: LastReadingsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** From its start, with what was read then. */
  follow(domain: Domain, stats: DomainStats): void {
    if (this.#options.signal.aborted) return;
    // The one that was followed for the longest makes room.
    const [longest] = this.#followed.keys();
    if (this.#followed.size >= FOLLOWED_MAX && longest !== undefined) this.#followed.delete(longest);
    this.#add(domain, stats, true);
    this.#wake.abort();
  }

  /** Takes over what a cycle has read, so that it need not be read again; follows those that nobody saw start. */
  note(domains: readonly Domain[], said: ReadonlyMap<string, DomainStats>): void {
    if (this.#options.signal.aborted) return;
    for (const domain of domains) {
      const stats = said.get(domain.uuid);
      if (stats === undefined || !isWhole(stats)) continue;
      if (this.#followed.has(domain.uuid)) this.#update(domain, stats);
      else if (this.#followed.size < FOLLOWED_MAX) this.#add(domain, stats, false);
    }
  }

  #add(domain: Domain, stats: DomainStats, isNew: boolean): void {
    const readAt = this.#clock.monotonic();
    const since = isNew ? readAt : Number.NEGATIVE_INFINITY;
    this.#followed.delete(domain.uuid);
    this.#followed.set(domain.uuid, { domain, stats, first: stats, since, readAt, isNew, absent: 0 });
    if (!this.#atWork) void this.#work();
  }

  #update(domain: Domain, stats: DomainStats): void {
    const followed = this.#followed.get(domain.uuid);
    if (followed === undefined || domain.id !== followed.domain.id) return;
    if (!isWhole(stats) || stats.monotonicTime < followed.stats.monotonicTime) return;
    if (followed.stats === followed.first && followed.since > Number.NEGATIVE_INFINITY)
      this.#options.log.debug(named(domain), 'domain was read after its start');
    followed.domain = domain;
    followed.stats = stats;
    followed.readAt = this.#clock.monotonic();
    followed.absent = 0;
  }

  /**
   * What was read last in this life of the domain, which has ended; undefined where that is nothing since its start.
   */
  take({ uuid }: DomainRef): Reading | undefined {
    const followed = this.#followed.get(uuid);
    this.#followed.delete(uuid);
    return followed === undefined || followed.stats === followed.first ? undefined : followed;
  }

  async #work(): Promise<void> {
    const { log, signal } = this.#options;
    this.#atWork = true;
    let failing = false;
    while (!signal.aborted && this.#followed.size > 0) {
      await this.#pause(this.#nextDue() - this.#clock.monotonic());
      const due = this.#due();
      if (due.length === 0 || signal.aborted) continue;
      const started = this.#clock.monotonic();
      try {
        await this.#read(due);
        log.debug({ domains: due.length }, 'domains were read between the slots');
        failing = false;
      } catch (error) {
        if (!failing && !signal.aborted)
          log.debug(
            { domains: due.length, reason: describeError(error) },
            'domains could not be read between the slots',
          );
        failing = true;
      }
      const now = this.#clock.monotonic();
      // Those that start meanwhile do not put off the others again and again.
      if (started + TOGETHER >= this.#restsUntil) this.#restsUntil = now + (now - started) / SHARE;
      for (const one of due) one.isNew = false;
      await this.#clock.sleep(failing ? PAUSE_MIN : TOGETHER, signal);
    }
    this.#atWork = false;
  }

  async #read(due: readonly Followed[]): Promise<void> {
    const { read, signal, vanished } = this.#options;
    const domains = due.map(({ domain }) => domain);
    const said = await read(domains, signal);
    for (const domain of domains) {
      const stats = said.get(domain.uuid);
      if (stats !== undefined) this.#update(domain, stats);
    }
    const now = this.#clock.monotonic();
    for (const one of due) {
      one.readAt = now;
      const state = said.get(one.domain.uuid)?.state;
      one.absent = state === undefined || state === SHUT_OFF ? one.absent + 1 : 0;
      // The first time its end may still be told.
      if (one.absent < 2 || this.#followed.get(one.domain.uuid) !== one) continue;
      const last = this.take(one.domain);
      if (last !== undefined) vanished(last);
    }
  }

  #nextDue(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const one of this.#followed.values()) next = Math.min(next, this.#dueAt(one));
    return next;
  }

  #dueAt(one: Followed): number {
    const due = one.readAt + pauseOf(one);
    return one.isNew ? due : Math.max(due, this.#restsUntil);
  }

  #due(): readonly Followed[] {
    const soon = this.#clock.monotonic() + TOGETHER;
    return [...this.#followed.values()].filter((one) => this.#dueAt(one) <= soon);
  }

  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#options;
    this.#wake = new AbortController();
    const wake = this.#wake;
    const stop = () => wake.abort();
    signal.addEventListener('abort', stop, { once: true });
    await this.#clock.sleep(Math.max(0, milliseconds), wake.signal);
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Whether nothing is missing. Of a QEMU that is shutting down, or was killed and not yet missed, some may be told while
 * its disks and interfaces are gone.
 */
export function isWhole(stats: DomainStats): boolean {
  const { state, balloon } = stats;
  return state !== SHUTDOWN && state !== SHUT_OFF && isComplete(stats) && balloon['rss'] !== 0n;
}

function pauseOf({ since, readAt }: Followed): number {
  return Math.min(PAUSE_MAX, Math.max(PAUSE_MIN, (readAt - since) * SHARE));
}
