import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareLines, countBlock, packBlock, readBlock, readLines } from '../../src/collector/store/block.ts';
import type { SampleLine } from '../../src/collector/store/database.ts';

const ORIGIN = 1_764_000_900_000_000;

const volume = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);

const line: fc.Arbitrary<SampleLine> = fc.record({
  id: fc
    .oneof(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ minLength: 1, maxLength: 700 }))
    .map((bytes) => Buffer.from(bytes)),
  meter: fc.constant(7),
  resource: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  metadata: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  time: fc.integer({ min: -900_000_000, max: 899_999_999 }).map((offset) => ORIGIN + offset),
  volume,
});

const sorted = (lines: readonly SampleLine[]) => [...lines].sort(compareLines);

describe('a block', () => {
  it('gives back the lines that it was made of, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 64 }), (lines) => {
        const block = packBlock(sorted(lines), ORIGIN);

        expect(readLines(block, 7, ORIGIN)).toEqual(sorted(lines));
      }),
    );
  });

  it('tells its resources, and its volumes, from its parts alone', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 64 }), (lines) => {
        const { series, body } = packBlock(sorted(lines), ORIGIN);
        const counts = new Map<number, number>();
        const volumes: (number | bigint)[] = [];

        countBlock(series, (resource, samples) => counts.set(resource, samples));
        readBlock({ series, body }, ORIGIN, (reading) => volumes.push(reading.volume));

        expect([...counts.values()].reduce((sum, samples) => sum + samples, 0)).toBe(lines.length);
        for (const [resource, samples] of counts)
          expect(lines.filter((one) => one.resource === resource)).toHaveLength(samples);
        expect(volumes).toEqual(sorted(lines).map((one) => one.volume));
      }),
    );
  });

  it('takes few bytes for counters on a grid', () => {
    const lines = Array.from({ length: 64 }, (_, index) => ({
      id: Buffer.alloc(16, index),
      meter: 7,
      resource: 100 + Math.floor(index / 4),
      metadata: 100 + Math.floor(index / 4),
      time: ORIGIN + (index % 4) * 300_000_000 + ((index * 7919) % 5000),
      volume: 2n ** 40n + BigInt((index % 4) * 300_000_000),
    }));

    const { series, body, ids } = packBlock(lines, ORIGIN);

    expect(ids.length).toBe(1 + 64 * 16);
    expect((series.length + body.length) / 64).toBeLessThan(11);
  });

  it('is refused when it was cut off or is of another form', () => {
    const { series, body } = packBlock([{ ...(fc.sample(line, 1)[0] as SampleLine), volume: 2n ** 62n }], ORIGIN);
    const ignore = () => {};

    expect(() => readBlock({ series, body: body.subarray(0, -1) }, ORIGIN, ignore)).toThrow('end too early');
    expect(() => readBlock({ series, body: Buffer.concat([Buffer.of(9), body]) }, ORIGIN, ignore)).toThrow('form 9');
  });
});
