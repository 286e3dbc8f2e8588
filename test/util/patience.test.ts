import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/util/clock.ts';
import { settledWithin } from '../../src/util/patience.ts';

const { signal } = new AbortController();

describe('patience', () => {
  it('tells what settled in time, in failure too', async () => {
    expect(await settledWithin(Promise.resolve(), 1000, signal, systemClock)).toBe(true);
    expect(await settledWithin(Promise.reject(new Error('no')), 1000, signal, systemClock)).toBe(true);
  });

  it('has an end', async () => {
    expect(await settledWithin(new Promise(() => {}), 10, signal, systemClock)).toBe(false);
  });

  it('ends with the signal', async () => {
    const over = AbortSignal.abort(new Error('over'));

    await expect(settledWithin(new Promise(() => {}), 1000, over, systemClock)).rejects.toThrow('over');
  });
});
