/** XDR (RFC 4506) as far as libvirt's protocol uses it. Everything is checked against the bytes that are there. */

/** The bytes are not what the protocol says. */
export class XdrError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'XdrError';
  }
}

/** Bytes that pad a value to a multiple of four. */
function padding(length: number): number {
  return -length & 3;
}

/** Reads values one after another. Throws {@link XdrError} instead of reading past the end. */
export class XdrReader {
  readonly #bytes: Buffer;
  /** On the same bytes; faster for numbers of 64 bits. */
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  #take(length: number): number {
    const at = this.#offset;
    if (length > this.#bytes.length - at) {
      throw new XdrError(`${length} bytes expected at offset ${at}, ${this.#bytes.length - at} left`);
    }
    this.#offset = at + length;
    return at;
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  uint(): number {
    return this.#view.getUint32(this.#take(4));
  }

  hyper(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  uhyper(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  bool(): boolean {
    const value = this.uint();
    if (value > 1) throw new XdrError(`boolean expected at offset ${this.#offset - 4}, got ${value}`);
    return value === 1;
  }

  /** A view of the underlying bytes, not a copy. */
  fixedOpaque(length: number): Buffer {
    const at = this.#take(length + padding(length));
    return this.#bytes.subarray(at, at + length);
  }

  opaque(limit: number): Buffer {
    return this.fixedOpaque(this.#length(limit, 1));
  }

  string(limit: number): string {
    const length = this.#length(limit, 1);
    const at = this.#take(length + padding(length));
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** A string of ASCII characters; faster than {@link string} for the names of parameters. */
  ascii(limit: number): string {
    const length = this.#length(limit, 1);
    const at = this.#take(length + padding(length));
    return this.#bytes.toString('latin1', at, at + length);
  }

  skipString(limit: number): void {
    const length = this.#length(limit, 1);
    this.#take(length + padding(length));
  }

  optional<T>(read: () => T): T | undefined {
    return this.bool() ? read() : undefined;
  }

  /** The length of an array whose elements take `elementSize` bytes at least, so that it can be trusted. */
  arrayLength(limit: number, elementSize: number): number {
    return this.#length(limit, elementSize);
  }

  array<T>(limit: number, elementSize: number, read: () => T): T[] {
    const count = this.#length(limit, elementSize);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  skipRest(): void {
    this.#offset = this.#bytes.length;
  }

  /** The value has to end where the bytes end. */
  end(): void {
    if (this.remaining > 0) throw new XdrError(`${this.remaining} bytes left over at offset ${this.#offset}`);
  }

  #length(limit: number, elementSize: number): number {
    const count = this.uint();
    if (count > limit)
      throw new XdrError(`length ${count} at offset ${this.#offset - 4} is over the limit of ${limit}`);
    if (count * elementSize > this.remaining) {
      throw new XdrError(`length ${count} at offset ${this.#offset - 4} is more than the ${this.remaining} bytes left`);
    }
    return count;
  }
}

const FIRST_SIZE = 256;

/** Writes values one after another into a buffer that grows. Throws a RangeError for numbers that do not fit. */
export class XdrWriter {
  #bytes: Buffer;
  #length = 0;

  /** `reserve` bytes at the start stay free for a header. */
  constructor(reserve = 0) {
    this.#bytes = Buffer.allocUnsafe(Math.max(FIRST_SIZE, reserve * 2));
    this.#length = reserve;
    this.#bytes.fill(0, 0, reserve);
  }

  /** Bytes written so far, the reserved ones included. */
  get length(): number {
    return this.#length;
  }

  #room(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }

  int(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  uint(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeUInt32BE(value, at);
    return this;
  }

  hyper(value: bigint): this {
    const at = this.#room(8);
    this.#bytes.writeBigInt64BE(value, at);
    return this;
  }

  uhyper(value: bigint): this {
    const at = this.#room(8);
    this.#bytes.writeBigUInt64BE(value, at);
    return this;
  }

  double(value: number): this {
    const at = this.#room(8);
    this.#bytes.writeDoubleBE(value, at);
    return this;
  }

  bool(value: boolean): this {
    return this.uint(value ? 1 : 0);
  }

  fixedOpaque(value: Uint8Array): this {
    const at = this.#room(value.length + padding(value.length));
    this.#bytes.set(value, at);
    this.#bytes.fill(0, at + value.length, this.#length);
    return this;
  }

  opaque(value: Uint8Array): this {
    return this.uint(value.length).fixedOpaque(value);
  }

  string(value: string): this {
    return this.opaque(Buffer.from(value, 'utf8'));
  }

  optional<T>(value: T | undefined, write: (value: T) => void): this {
    this.bool(value !== undefined);
    if (value !== undefined) write(value);
    return this;
  }

  array<T>(values: readonly T[], write: (value: T) => void): this {
    this.uint(values.length);
    for (const value of values) write(value);
    return this;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
