/** Tells of guests whose memory is known from long ago: a guest that hangs, or whose balloon is never asked. */
import type { DomainStats } from '../../libvirt/inspector.ts';
import type { Logger } from '../../plugin.ts';

/** Seconds. Nova has a running guest tell every ten. */
const LONG = 600;

export class StaleBalloons {
  readonly #log: Logger;
  readonly #known = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Looks at an answer of libvirt. What is told is what has become so; the values count all the same, as upstream's do.
   */
  note(said: ReadonlyMap<string, DomainStats>): void {
    const fresh: string[] = [];
    let oldest = 0;
    const now = Date.now() / 1000;
    for (const [id, { balloon }] of said) {
      const updated = Number(balloon['last-update'] ?? 0n);
      const age = now - updated;
      // 0 where the guest has never told anything, and then there are no values.
      if (updated === 0 || age < LONG) {
        if (this.#known.size > 0) this.#known.delete(id);
      } else if (!this.#known.has(id)) {
        this.#known.add(id);
        fresh.push(id);
        oldest = Math.max(oldest, age);
      }
    }
    if (fresh.length === 0) return;
    const fields = { instances: fresh.length, first: fresh[0], seconds: Math.round(oldest) };
    this.#log.info(fields, 'guests have not told of their memory for long, memory.usage and its kin are old');
  }

  /** Forgets those that are not here any more. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#known) if (!ids.has(id)) this.#known.delete(id);
  }
}
