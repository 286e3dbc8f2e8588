import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XdrError, XdrReader, XdrWriter } from '../../src/libvirt/xdr.ts';

const LIMIT = 1_000;

/** One kind of value: how to make, write and read it. */
interface Kind<T> {
  readonly values: fc.Arbitrary<T>;
  readonly write: (writer: XdrWriter, value: T) => void;
  readonly read: (reader: XdrReader) => T;
}

const kinds = {
  int: kind(
    fc.integer(),
    (writer, value) => writer.int(value),
    (reader) => reader.int(),
  ),
  uint: kind(
    fc.nat(0xffff_ffff),
    (writer, value) => writer.uint(value),
    (reader) => reader.uint(),
  ),
  hyper: kind(
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    (writer, value) => writer.hyper(value),
    (reader) => reader.hyper(),
  ),
  uhyper: kind(
    fc.bigInt(0n, 2n ** 64n - 1n),
    (writer, value) => writer.uhyper(value),
    (reader) => reader.uhyper(),
  ),
  double: kind(
    fc.double({ noNaN: true }),
    (writer, value) => writer.double(value),
    (reader) => reader.double(),
  ),
  bool: kind(
    fc.boolean(),
    (writer, value) => writer.bool(value),
    (reader) => reader.bool(),
  ),
  string: kind(
    fc.string({ unit: 'binary' }),
    (writer, value) => writer.string(value),
    (reader) => reader.string(LIMIT),
  ),
  opaque: kind(
    bytes(),
    (writer, value) => writer.opaque(value),
    (reader) => Buffer.from(reader.opaque(LIMIT)),
  ),
  optional: kind(
    fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
    (writer, value) => writer.optional(value, (text) => writer.string(text)),
    (reader) => reader.optional(() => reader.string(LIMIT)),
  ),
  array: kind(
    fc.array(fc.integer()),
    (writer, value) => writer.array(value, (item) => writer.int(item)),
    (reader) => reader.array(LIMIT, 4, () => reader.int()),
  ),
};

function kind<T>(values: fc.Arbitrary<T>, write: Kind<T>['write'], read: Kind<T>['read']): Kind<T> {
  return { values, write, read };
}

function bytes(): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
}

describe('XDR', () => {
  it.each(Object.entries(kinds) as [string, Kind<unknown>][])(
    'reads back every %s that it wrote',
    (_name, { values, write, read }) => {
      fc.assert(
        fc.property(fc.array(values, { maxLength: 20 }), (list) => {
          const writer = new XdrWriter();
          for (const value of list) write(writer, value);
          const encoded = writer.finish();

          const reader = new XdrReader(encoded);
          const decoded = list.map(() => read(reader));

          expect(decoded).toEqual(list);
          expect(encoded.length % 4).toBe(0);
          reader.end();
        }),
      );
    },
  );

  it('throws nothing but its own error for arbitrary bytes, and reads no byte that is not there', () => {
    const readers = Object.values(kinds).map(({ read }) => read as (reader: XdrReader) => unknown);
    fc.assert(
      fc.property(bytes(), fc.array(fc.nat(readers.length - 1), { minLength: 1 }), (input, order) => {
        const reader = new XdrReader(input);

        try {
          for (const index of order) readers[index]?.(reader);
        } catch (error) {
          expect(error).toBeInstanceOf(XdrError);
        }

        expect(reader.offset).toBeLessThanOrEqual(input.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses an array that is longer than the bytes that are left, before it reads any element', () => {
    const input = new XdrWriter().uint(900).int(1).int(2).finish();
    let read = 0;

    const decode = () =>
      new XdrReader(input).array(LIMIT, 4, () => {
        read++;
      });

    expect(decode).toThrow('length 900 at offset 0 is more than the 8 bytes left');
    expect(read).toBe(0);
  });

  it('refuses a length over the limit', () => {
    const input = new XdrWriter().string('x'.repeat(2_000)).finish();

    expect(() => new XdrReader(input).string(LIMIT)).toThrow('length 2000 at offset 0 is over the limit of 1000');
  });

  it('refuses a boolean that is neither 0 nor 1', () => {
    const input = new XdrWriter().uint(2).finish();

    expect(() => new XdrReader(input).bool()).toThrow(XdrError);
  });

  it('tells when bytes are left over', () => {
    const reader = new XdrReader(new XdrWriter().int(1).int(2).finish());

    reader.int();

    expect(() => reader.end()).toThrow('4 bytes left over at offset 4');
  });

  it('skips a string without its padding getting in the way', () => {
    const reader = new XdrReader(new XdrWriter().string('abcde').int(7).finish());

    reader.skipString(LIMIT);

    expect(reader.int()).toBe(7);
  });

  it('writes what libvirt would: big-endian words, strings padded with zeros', () => {
    const encoded = new XdrWriter().int(-2).string('héy').finish();

    expect(encoded.toString('hex')).toBe('fffffffe0000000468c3a979');
  });

  it('throws a RangeError for a number that does not fit', () => {
    expect(() => new XdrWriter().int(2 ** 31)).toThrow(RangeError);
    expect(() => new XdrWriter().uhyper(-1n)).toThrow(RangeError);
  });
});
