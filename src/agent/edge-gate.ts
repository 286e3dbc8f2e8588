import type { Logger } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';

export interface EdgeGateOptions {
  readonly clock: Clock;
  readonly log: Logger;
}

interface Allowance {
  left: number;
  /** The time at which `left` was worked out. */
  at: number;
  refused: number;
}

/**
 * Edges of one resource that may come at once, and the milliseconds after which one more may. The life of an instance
 * has up to three: five lives, and one more each minute.
 */
const BURST = 15;
const PAUSE = 20_000;
/** Resources after which those are forgotten that may use the whole burst again. */
const REMEMBERED = 1_000;

/** Keeps a resource that comes and goes all the time from costing the others. */
export class EdgeGate {
  readonly #options: EdgeGateOptions;
  readonly #allowances = new Map<string, Allowance>();

  constructor(options: EdgeGateOptions) {
    this.#options = options;
  }

  /** Whether one more edge of the resource may be polled. Logs when it is refused first, and when it is not any more. */
  admits(resourceId: string): boolean {
    const { log } = this.#options;
    const allowance = this.#refilled(resourceId);
    if (allowance.left < 1) {
      if (allowance.refused === 0) {
        log.warn({ resource: resourceId }, 'resource has too many edges, most of them are not polled');
      }
      allowance.refused += 1;
      return false;
    }
    allowance.left -= 1;
    if (allowance.refused > 0) {
      log.info({ resource: resourceId, refused: allowance.refused }, 'resource had too many edges, polling them again');
      allowance.refused = 0;
    }
    return true;
  }

  #refilled(resourceId: string): Allowance {
    const now = this.#options.clock.monotonic();
    if (this.#allowances.size > REMEMBERED) this.#forget(now);
    const known = this.#allowances.get(resourceId) ?? { left: BURST, at: now, refused: 0 };
    this.#allowances.set(resourceId, known);
    known.left = Math.min(BURST, known.left + (now - known.at) / PAUSE);
    known.at = now;
    return known;
  }

  #forget(now: number): void {
    for (const [id, { left, at }] of this.#allowances) {
      if (left + (now - at) / PAUSE >= BURST) this.#allowances.delete(id);
    }
  }
}
