import { describe, expect, it } from 'vitest';
import { createResponseCache } from '../../../src/pollsters/dynamic/response-cache.ts';

function counting() {
  const clock = { time: 0 };
  let asked = 0;
  const cache = createResponseCache(() => clock.time);
  const ask = async () => {
    asked += 1;
    return asked;
  };
  return { clock, cache, ask };
}

describe('the cache of responses', () => {
  it('asks again when the life of an answer is over', async () => {
    const { clock, cache, ask } = counting();

    const first = [await cache.get('a', 100, ask), await cache.get('a', 100, ask)];
    clock.time = 100;
    const later = await cache.get('a', 100, ask);

    expect(first).toEqual([1, 1]);
    expect(later).toBe(2);
  });

  it('keeps no failure', async () => {
    const { cache, ask } = counting();

    const failed = cache.get('a', 100, () => Promise.reject(new Error('away')));

    await expect(failed).rejects.toThrow('away');
    expect(await cache.get('a', 100, ask)).toBe(1);
  });

  it('lets the oldest go where there are too many', async () => {
    const { cache, ask } = counting();

    for (let at = 0; at <= 10_000; at += 1) await cache.get(`key ${at}`, 100, async () => null);

    expect(await cache.get('key 10000', 100, ask)).toBeNull();
    expect(await cache.get('key 0', 100, ask)).toBe(1);
  });
});
