/** Where a page has its bytes from. */
export interface PageMemory {
  /** At least so many bytes, with anything in them. */
  takeRoom(length: number): Buffer;
  /** Gets back bytes that the page has grown out of. */
  give(bytes: Buffer): void;
}

const heap: PageMemory = { takeRoom: (length) => Buffer.allocUnsafe(length), give: () => {} };

/** Text being put together as bytes: to add up one string of it first would cost as much as all the rest. */
export class Page {
  readonly #memory: PageMemory;
  #bytes: Buffer;
  #length = 0;

  constructor(size = 65_536, memory = heap) {
    this.#memory = memory;
    this.#bytes = memory.takeRoom(size);
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes that there is room for. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Text whose characters stand for a byte each. */
  write(text: string): void {
    this.#room(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  writeUtf8(text: string): void {
    // A UTF-16 unit takes at most three bytes.
    this.#room(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
  }

  append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Leaves out so many bytes, for somebody else to fill in. */
  skip(count: number): void {
    this.#room(count);
    this.#length += count;
  }

  /** Forgets what stands from here on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** What was put down, until more is. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  toString(): string {
    return this.#bytes.toString('latin1', 0, this.#length);
  }

  #room(needed: number): void {
    const whole = this.#length + needed;
    if (whole <= this.#bytes.length) return;
    const larger = this.#memory.takeRoom(whole * 2);
    larger.set(this.view());
    this.#memory.give(this.#bytes);
    this.#bytes = larger;
  }
}
