import { describe, expect, it } from 'vitest';
import { createTtlCache } from '../../src/util/ttl-cache.ts';
import { FakeClock } from '../helpers/fake-clock.ts';

const { signal } = new AbortController();

function cacheOf(load: (key: string) => Promise<string | undefined>) {
  const clock = new FakeClock(0);
  return { clock, cache: createTtlCache({ clock, ttl: 100, nothingTtl: 10 }, load) };
}

describe('a cache with a time to live', () => {
  it('loads a value once for callers that come together, and anew when it is old', async () => {
    const loads: string[] = [];
    const { cache, clock } = cacheOf(async (key) => `${key}${loads.push(key)}`);

    const together = await Promise.all([cache.get('a', signal), cache.get('a', signal), cache.get('b', signal)]);
    await clock.pass(99);
    const young = await cache.get('a', signal);
    await clock.pass(1);
    const old = await cache.get('a', signal);

    expect([together, young, old]).toEqual([['a1', 'a1', 'b2'], 'a1', 'a3']);
  });

  it('keeps the word that there is nothing for a shorter time', async () => {
    let loads = 0;
    const { cache, clock } = cacheOf(async () => {
      loads += 1;
      return undefined;
    });

    for (const pause of [0, 9, 1]) {
      await clock.pass(pause);
      await cache.get('a', signal);
    }

    expect(loads).toBe(2);
  });

  it('keeps no failure', async () => {
    const answers = [Promise.reject(new Error('away')), Promise.resolve('here')];
    const { cache } = cacheOf(() => answers.shift() ?? Promise.resolve('again'));

    await expect(cache.get('a', signal)).rejects.toThrow('away');
    expect(await cache.get('a', signal)).toBe('here');
  });
});
