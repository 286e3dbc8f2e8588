/** Numbers as few bytes, one after the other: seven bits in each, the lowest first. */

export interface Bytes {
  buffer: Buffer;
  at: number;
}

const FIRST_LENGTH = 1024;
/** Seven groups of seven bits are still exact in a JavaScript number. */
const NUMBER_GROUPS = 7;

export const emptyBytes = (): Bytes => ({ buffer: Buffer.allocUnsafe(FIRST_LENGTH), at: 0 });
export const bytesOf = (buffer: Buffer): Bytes => ({ buffer, at: 0 });
export const written = ({ buffer, at }: Bytes): Buffer => Buffer.from(buffer.subarray(0, at));

function makeRoom(bytes: Bytes, length: number): void {
  if (bytes.at + length <= bytes.buffer.length) return;
  const larger = Buffer.allocUnsafe((bytes.at + length) * 2);
  bytes.buffer.copy(larger, 0, 0, bytes.at);
  bytes.buffer = larger;
}

/** An integer from 0 to below 2^53. */
export function putCount(bytes: Bytes, value: number): void {
  makeRoom(bytes, 10);
  let left = value;
  while (left >= 128) {
    bytes.buffer[bytes.at++] = (left % 128) + 128;
    left = Math.floor(left / 128);
  }
  bytes.buffer[bytes.at++] = left;
}

export function takeCount(bytes: Bytes): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = byteAt(bytes);
    if (byte < 128) return value + byte * scale;
    value += (byte - 128) * scale;
  }
}

/** An integer between -2^52 and 2^52: those near 0 are short. */
export function putDifference(bytes: Bytes, value: number): void {
  putCount(bytes, value < 0 ? -2 * value - 1 : 2 * value);
}

export function takeDifference(bytes: Bytes): number {
  const value = takeCount(bytes);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

const SMALL = 2n ** 47n;

/** An integer of 64 bits with its sign, in the form of {@link putDifference}. */
export function putLongDifference(bytes: Bytes, value: bigint): void {
  if (value < SMALL && value > -SMALL) {
    putDifference(bytes, Number(value));
    return;
  }
  makeRoom(bytes, 10);
  let left = value < 0n ? -2n * value - 1n : 2n * value;
  while (left >= 128n) {
    bytes.buffer[bytes.at++] = Number(left & 127n) + 128;
    left >>= 7n;
  }
  bytes.buffer[bytes.at++] = Number(left);
}

export function takeLongDifference(bytes: Bytes): bigint {
  let value = 0;
  let scale = 1;
  for (let group = 0; group < NUMBER_GROUPS; group++) {
    const byte = byteAt(bytes);
    if (byte < 128) return BigInt(signed(value + byte * scale));
    value += (byte - 128) * scale;
    scale *= 128;
  }
  let long = BigInt(value);
  for (let shift = BigInt(7 * NUMBER_GROUPS); ; shift += 7n) {
    const byte = byteAt(bytes);
    long |= BigInt(byte % 128) << shift;
    if (byte < 128) return long % 2n === 0n ? long / 2n : -(long + 1n) / 2n;
  }
}

const signed = (value: number) => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

export function putFloat(bytes: Bytes, value: number): void {
  makeRoom(bytes, 8);
  bytes.at = bytes.buffer.writeDoubleLE(value, bytes.at);
}

export function takeFloat(bytes: Bytes): number {
  const value = bytes.buffer.readDoubleLE(bytes.at);
  bytes.at += 8;
  return value;
}

export function putBytes(bytes: Bytes, value: Uint8Array): void {
  makeRoom(bytes, value.length);
  bytes.buffer.set(value, bytes.at);
  bytes.at += value.length;
}

export function takeBytes(bytes: Bytes, length: number): Buffer {
  if (bytes.at + length > bytes.buffer.length) throw new RangeError('the bytes end too early');
  bytes.at += length;
  return bytes.buffer.subarray(bytes.at - length, bytes.at);
}

function byteAt(bytes: Bytes): number {
  const byte = bytes.buffer[bytes.at++];
  if (byte === undefined) throw new RangeError('the bytes end too early');
  return byte;
}
