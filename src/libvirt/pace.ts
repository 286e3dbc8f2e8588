/** How long to wait for which call, in milliseconds. */
interface Patience {
  /** After this others do not wait behind it any more. */
  readonly patience: number;
  /** After this the domains of the call are asked in another way, while it goes on. */
  readonly late: number;
  /** After this it is given up. */
  readonly timeout: number;
}

/** How many times longer than usual a call takes before it is late. */
const UNUSUAL = 4;
/** Part of the longest call that counts on from one call to the next. */
const FADING = 0.95;

/**
 * Shares out the time that domains which do not answer may cost a cycle: most of it for the call in bulk that meets
 * them, the rest to find them. Calls in bulk that are usually fast are late sooner.
 */
export class Pace {
  readonly #limit: number;
  #usual: number | undefined;

  /** `limit` is for all steps together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether a call in bulk has been answered before. */
  get isKnown(): boolean {
    return this.#usual !== undefined;
  }

  /** A call in bulk took this long in the end. */
  note(milliseconds: number): void {
    this.#usual = Math.max(milliseconds, (this.#usual ?? 0) * FADING);
  }

  get bulk(): Patience {
    const longest = 0.6 * this.#limit;
    const late = Math.min(longest, Math.max(longest / 2, UNUSUAL * (this.#usual ?? longest)));
    return { patience: late / 4, late, timeout: this.#limit };
  }

  get single(): Patience {
    return { patience: 0.05 * this.#limit, late: 0.25 * this.#limit, timeout: 0.4 * this.#limit };
  }
}
