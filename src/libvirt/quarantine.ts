import type { Logger } from '../plugin.ts';
import type { Domain } from './inspector.ts';
import { named } from './troubles.ts';

export interface QuarantineOptions {
  readonly log: Logger;
  /** Asks a domain whether it is back. Not waited for. */
  readonly probe: (domain: Domain) => void;
  /** Milliseconds on a clock that never steps. */
  readonly now?: () => number;
}

interface Entry {
  domain: Domain;
  /** Calls of ours that hang in the domain. */
  hung: number;
  /**
   * Somebody's call has the domain's monitor: one that does not wait is answered at once with what libvirt knows by
   * itself. Otherwise it could hang.
   */
  held: boolean;
  /** False while nobody knows what is wrong with it: it could not be asked. */
  readonly blamed: boolean;
  probing: boolean;
  /** When it may be asked again. */
  probeAt: number;
  pause: number;
}

/** Milliseconds before a domain that was quarantined again is asked whether it is back: at first, at most. */
const PAUSE_FIRST = 2_000;
const PAUSE_MAX = 60_000;
/** Milliseconds after which a domain that came back starts with a clean slate. */
const REPENTANCE = 600_000;

/**
 * Domains that do not answer, and those that could not be asked because too many do not. They are left out of what is
 * asked in bulk until a probe is answered; one that comes back only to hang again is probed with growing pauses.
 */
export class Quarantine {
  readonly #log: Logger;
  readonly #probe: (domain: Domain) => void;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #released = new Map<string, { readonly pause: number; readonly at: number }>();
  #unasked = false;

  constructor({ log, probe, now = () => performance.now() }: QuarantineOptions) {
    this.#log = log;
    this.#probe = probe;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(uuid: string): boolean {
    return this.#entries.has(uuid);
  }

  /** Whether a call that does not wait is sure to be answered. */
  isHeld(uuid: string): boolean {
    return this.#entries.get(uuid)?.held === true;
  }

  /** Whether it is time to ask it again. */
  isDue(uuid: string): boolean {
    const entry = this.#entries.get(uuid);
    return entry !== undefined && !entry.held && !entry.probing && this.#now() >= entry.probeAt;
  }

  /** A call that waits for the domain hangs, or another job holds the domain for long. */
  hold(domain: Domain, hung: boolean): void {
    const entry = this.#entries.get(domain.uuid);
    if (entry?.blamed === true) {
      entry.held = true;
      if (hung) this.#hangsAgain(entry);
      return;
    }
    const pause = this.#pauseOf(domain.uuid);
    const probeAt = this.#now() + pause;
    const probing = entry?.probing ?? false;
    this.#entries.set(domain.uuid, { domain, hung: hung ? 1 : 0, held: true, blamed: true, probing, probeAt, pause });
    this.#log.warn(named(domain), 'domain does not answer, its disk and memory statistics are missing until it does');
  }

  /** It cannot be asked, because too many calls hang already. */
  postpone(domains: readonly Domain[]): void {
    for (const domain of domains) {
      if (this.#entries.has(domain.uuid)) continue;
      const state = { hung: 0, held: false, blamed: false, probing: false, probeAt: 0, pause: 0 };
      this.#entries.set(domain.uuid, { domain, ...state });
    }
    if (this.#unasked || domains.length === 0) return;
    this.#unasked = true;
    this.#log.warn(
      { domains: this.#entries.size },
      'too many domains do not answer, some of the others are not asked for disk and memory statistics until they do',
    );
  }

  probing(uuid: string, probing: boolean): void {
    const entry = this.#entries.get(uuid);
    if (entry !== undefined) entry.probing = probing;
  }

  /** A call that hung in the domain has ended. */
  unhung(uuid: string): void {
    const entry = this.#entries.get(uuid);
    if (entry === undefined) return;
    entry.hung = Math.max(0, entry.hung - 1);
    this.freed(uuid);
  }

  /** Nothing of ours holds the domain's monitor any more, unless a call hangs in it still. */
  freed(uuid: string): void {
    const entry = this.#entries.get(uuid);
    if (entry === undefined || entry.hung > 0) return;
    entry.held = false;
    if (this.isDue(uuid)) this.#probe(entry.domain);
  }

  /** It has told everything. */
  answered(uuid: string): void {
    const entry = this.#entries.get(uuid);
    if (entry === undefined) return;
    if (entry.blamed && this.#now() < entry.probeAt) {
      entry.held = false;
      return;
    }
    this.#entries.delete(uuid);
    if (entry.blamed) {
      this.#released.set(uuid, { pause: entry.pause, at: this.#now() });
      this.#log.info(named(entry.domain), 'domain answers again');
    }
    if (!this.#unasked || [...this.#entries.values()].some(({ blamed }) => !blamed)) return;
    this.#unasked = false;
    this.#log.info({}, 'all domains are asked for disk and memory statistics again');
  }

  /** The domain is gone. */
  forget(uuid: string): void {
    this.#entries.delete(uuid);
    this.#released.delete(uuid);
  }

  #hangsAgain(entry: Entry): void {
    entry.hung++;
    entry.pause = longer(entry.pause);
    entry.probeAt = this.#now() + entry.pause;
  }

  #pauseOf(uuid: string): number {
    const before = this.#released.get(uuid);
    if (before === undefined || this.#now() - before.at > REPENTANCE) return 0;
    return longer(before.pause);
  }
}

function longer(pause: number): number {
  return Math.min(PAUSE_MAX, Math.max(PAUSE_FIRST, pause * 2));
}
