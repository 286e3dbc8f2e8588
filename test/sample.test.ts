import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoTimestamp, sampleId } from '../src/sample.ts';

/** UUIDv5 as RFC 9562 says it. */
function uuid5(namespace: Buffer, name: string): string {
  const bytes = createHash('sha1').update(namespace).update(name, 'utf8').digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

describe('sampleId', () => {
  it('is a UUIDv5 of source, meter, resource and slot', () => {
    const namespace = Buffer.from('ceilometer-ts-id');
    const text = fc.string({ unit: 'grapheme' });

    fc.assert(
      fc.property(text, text, text, fc.maxSafeNat(), (source, meter, resource, slot) => {
        const name = `${source}\n${meter}\n${resource}\n${slot}`;

        expect(sampleId(source, meter, resource, slot)).toBe(uuid5(namespace, name));
      }),
    );
  });

  it('is another for a second reading of the same measurement', () => {
    expect(sampleId('s', 'm', 'r', 1, 1)).not.toBe(sampleId('s', 'm', 'r', 1));
  });
});

describe('isoTimestamp', () => {
  it.each([
    [Date.UTC(2026, 10, 22, 14, 31, 46, 556), '2026-11-22T14:31:46.556000'],
    [Date.UTC(2026, 10, 22, 14, 31, 46, 5), '2026-11-22T14:31:46.005000'],
    [Date.UTC(2026, 10, 22, 14, 31, 46), '2026-11-22T14:31:46'],
  ])('prints %d as Python does', (time, text) => {
    expect(isoTimestamp(time)).toBe(text);
  });
});
