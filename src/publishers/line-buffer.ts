export const NEWLINE = 0x0a;
const SMALLEST = 65_536;
const MOST_KEPT = 1_048_576;
/** Of a unit of UTF-16 in UTF-8. */
const MOST_BYTES_OF_UNIT = 3;

/** Lines as the bytes that they are written as, so that nothing else has to be kept of them until they are. */
export class LineBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(SMALLEST);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Valid until the next {@link clear}. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds a line for each item: all of them, or none where `format` throws. */
  add<T>(items: readonly T[], format: (item: T) => string): void {
    const start = this.#length;
    try {
      for (const item of items) this.#addLine(format(item));
    } catch (error) {
      this.#length = start;
      throw error;
    }
  }

  clear(): void {
    this.#length = 0;
    // What one rush needed is not kept for good.
    if (this.#bytes.length > MOST_KEPT) this.#bytes = Buffer.allocUnsafeSlow(SMALLEST);
  }

  #addLine(line: string): void {
    this.#makeRoom(line.length * MOST_BYTES_OF_UNIT + 1);
    this.#length += this.#bytes.write(line, this.#length, 'utf8');
    this.#bytes[this.#length] = NEWLINE;
    this.#length += 1;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
