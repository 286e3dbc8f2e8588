/** Numbers for ids, the same for all who count by them: a table of texts is needed once, not for each who counts. */
export class IdNumbers {
  readonly #numbers = new Map<string, number>();

  of(id: string): number {
    let number = this.#numbers.get(id);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(id, number);
    }
    return number;
  }
}

const FIRST_SIZE = 64;
/** The largest count that an octet holds. */
const FULL = 255;

/** Counts ids, an octet for each. */
export class Tally {
  readonly #ids: IdNumbers;
  #counts = new Uint8Array(FIRST_SIZE);
  /** Of the few that came more often than an octet holds. */
  readonly #many = new Map<number, number>();

  constructor(ids: IdNumbers) {
    this.#ids = ids;
  }

  /** Counts one more, and says how many there were before. */
  add(id: string): number {
    const number = this.#ids.of(id);
    this.#makeRoom(number + 1);
    const before = this.#counts[number] ?? 0;
    if (before < FULL) {
      this.#counts[number] = before + 1;
      return before;
    }
    const all = this.#many.get(number) ?? FULL;
    this.#many.set(number, all + 1);
    return all;
  }

  #makeRoom(needed: number): void {
    if (needed <= this.#counts.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#counts.length));
    larger.set(this.#counts);
    this.#counts = larger;
  }
}
