import { describe, expect, it } from 'vitest';
import { createBodyPool } from '../../src/messaging/body-pool.ts';

describe('createBodyPool', () => {
  it('gives the same memory out again', () => {
    const pool = createBodyPool(100_000);
    const first = pool.take(20_000);
    pool.give(first);

    const second = pool.take(30_000);

    expect(first).toHaveLength(20_000);
    expect(second).toHaveLength(30_000);
    expect(second.buffer).toBe(first.buffer);
  });

  it('never gives memory to two at a time, given back twice or not', () => {
    const pool = createBodyPool(100_000);
    const first = pool.take(1000);
    pool.give(first);
    pool.give(first);
    pool.give(Buffer.alloc(1000));

    const [second, third] = [pool.take(1000), pool.take(1000)];

    expect(second.buffer).toBe(first.buffer);
    expect(third.buffer).not.toBe(first.buffer);
  });

  it('keeps no more than it may', () => {
    const pool = createBodyPool(20_000);
    const [first, second] = [pool.take(16_384), pool.take(16_384)];
    pool.give(first);
    pool.give(second);

    const again = [pool.take(16_384), pool.take(16_384)];

    expect(again.map(({ buffer }) => buffer)).toContain(first.buffer);
    expect(again.map(({ buffer }) => buffer)).not.toContain(second.buffer);
  });

  it('gives out what is a little larger than asked for, and nothing that is much larger', () => {
    const pool = createBodyPool(200_000);
    const larger = pool.take(65_536);
    pool.give(larger);

    const [muchSmaller, smaller] = [pool.take(32_768), pool.takeRoom(49_152)];

    expect(muchSmaller.buffer).not.toBe(larger.buffer);
    expect(smaller.buffer).toBe(larger.buffer);
    expect(smaller).toHaveLength(65_536);
  });

  it('lets go of sizes that nobody asks for any more', () => {
    const pool = createBodyPool(100_000);
    const early = Array.from({ length: 6 }, () => pool.take(16_384));
    const later = [pool.take(32_768), pool.take(32_768)];
    for (const body of [...early, ...later]) pool.give(body);

    const again = [pool.take(32_768), pool.take(32_768), pool.take(16_384)];

    expect(new Set(again.slice(0, 2).map(({ buffer }) => buffer))).toEqual(new Set(later.map(({ buffer }) => buffer)));
    expect(early.map(({ buffer }) => buffer)).toContain(again[2]?.buffer);
  });

  it('keeps the sizes that are asked for when another one comes back', () => {
    const pool = createBodyPool(50_000);
    const other = pool.take(49_152);
    const usual = [pool.take(16_384), pool.take(16_384), pool.take(16_384)];
    for (const body of usual) pool.give(body);
    pool.give(other);

    const again = [pool.take(16_384), pool.take(16_384), pool.take(16_384)];

    expect(new Set(again.map(({ buffer }) => buffer))).toEqual(new Set(usual.map(({ buffer }) => buffer)));
  });
});
