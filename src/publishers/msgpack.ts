/**
 * Messages in msgpack as Python's packs them: `1.0` is a float and `1` an integer, which encoders for JavaScript mix
 * up.
 */
import { DeliveryError } from '../errors.ts';
import { isList, isObject, type JsonObject, type JsonValue, keysOf, WholeFloat } from '../wire/value.ts';

/** Throws a {@link DeliveryError} for an integer beyond 64 bits, which msgpack has no form for. */
export function packed(message: JsonObject): Buffer {
  const parts: Buffer[] = [];
  pack(message, parts);
  return Buffer.concat(parts);
}

function pack(value: JsonValue, parts: Buffer[]): void {
  if (value === null) parts.push(Buffer.of(0xc0));
  else if (typeof value === 'boolean') parts.push(Buffer.of(value ? 0xc3 : 0xc2));
  else if (typeof value === 'string') packText(value, parts);
  else if (typeof value === 'bigint') parts.push(integer(value));
  else if (typeof value === 'number') parts.push(Number.isInteger(value) ? integer(BigInt(value)) : float(value));
  else if (value instanceof WholeFloat) parts.push(float(value.value));
  else if (isList(value)) {
    parts.push(header(value.length, 0x90, 16, undefined, 0xdc, 0xdd));
    for (const item of value) pack(item, parts);
  } else if (isObject(value)) {
    const keys = keysOf(value);
    parts.push(header(keys.length, 0x80, 16, undefined, 0xde, 0xdf));
    for (const key of keys) {
      packText(key, parts);
      pack(value[key] ?? null, parts);
    }
  }
}

function packText(text: string, parts: Buffer[]): void {
  const bytes = Buffer.from(text, 'utf8');
  parts.push(header(bytes.length, 0xa0, 32, 0xd9, 0xda, 0xdb), bytes);
}

/** A length: in the type's byte where it is short, else after it in 8 (where there is such a type), 16 or 32 bits. */
function header(
  length: number,
  short: number,
  below: number,
  in8: number | undefined,
  in16: number,
  in32: number,
): Buffer {
  if (length < below) return Buffer.of(short | length);
  if (in8 !== undefined && length <= 0xff) return Buffer.of(in8, length);
  const wide = length > 0xffff;
  const bytes = Buffer.alloc(wide ? 5 : 3);
  bytes[0] = wide ? in32 : in16;
  if (wide) bytes.writeUInt32BE(length, 1);
  else bytes.writeUInt16BE(length, 1);
  return bytes;
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xcb;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** The shortest form. */
function integer(value: bigint): Buffer {
  if (value >= -32n && value < 128n) return Buffer.of(Number(BigInt.asUintN(8, value)));
  if (value > 0xffff_ffff_ffff_ffffn || value < -0x8000_0000_0000_0000n) {
    throw new DeliveryError('msgpack has no integers beyond 64 bits', { retryable: false });
  }
  const positive = value >= 0n;
  const width = [1, 2, 4].find((size) => fits(value, size, positive)) ?? 8;
  const bytes = Buffer.alloc(1 + width);
  bytes[0] = (positive ? 0xcc : 0xd0) + Math.log2(width);
  if (width === 8) bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 1);
  else if (positive) bytes.writeUIntBE(Number(value), 1, width);
  else bytes.writeIntBE(Number(value), 1, width);
  return bytes;
}

function fits(value: bigint, bytes: number, positive: boolean): boolean {
  const bits = BigInt(bytes * 8);
  return positive ? value < 1n << bits : value >= -(1n << (bits - 1n));
}
