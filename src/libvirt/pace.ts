/** How long to wait for which call. */

interface Patience {
  /** Milliseconds after which the call is given up. */
  readonly timeout: number;
  /** Milliseconds after which others do not wait behind it any more. */
  readonly patience: number;
}

/** How many times longer than usual a call takes before it is suspicious. */
const UNUSUAL = 4;
/** Part of the longest call that counts on from one cycle to the next. */
const FADING = 0.95;

/**
 * Shares out the time that domains which do not answer may cost a cycle: most of it for the call in bulk that meets
 * them, the rest to find them, some after the others. Calls in bulk that are usually fast are given up sooner.
 */
export class Pace {
  readonly #limit: number;
  #usual: number | undefined;

  /** `limit` is in milliseconds, for both steps together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A call in bulk took this long in the end. */
  note(milliseconds: number): void {
    this.#usual = Math.max(milliseconds, (this.#usual ?? 0) * FADING);
  }

  get bulk(): Patience {
    const longest = 0.6 * this.#limit;
    const timeout = Math.min(longest, Math.max(longest / 2, UNUSUAL * (this.#usual ?? this.#limit)));
    return { timeout, patience: timeout / 4 };
  }

  get single(): Patience {
    return { timeout: 0.25 * this.#limit, patience: 0.05 * this.#limit };
  }
}
