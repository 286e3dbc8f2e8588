import { describe, expect, it } from 'vitest';
import { singleFlight } from '../../src/util/single-flight.ts';

describe('a single flight', () => {
  it('is shared by callers that come while it is under way', async () => {
    let calls = 0;
    const { promise, resolve } = withResolvers<string>();
    const flight = singleFlight(() => {
      calls += 1;
      return promise;
    });

    const both = Promise.all([flight(), flight()]);
    resolve('answer');

    expect(await both).toEqual(['answer', 'answer']);
    expect(calls).toBe(1);
  });

  it('starts again after it has ended, also in failure', async () => {
    let calls = 0;
    const flight = singleFlight(async () => {
      calls += 1;
      throw new Error(`failure ${calls}`);
    });

    await expect(flight()).rejects.toThrow('failure 1');
    await expect(flight()).rejects.toThrow('failure 2');
  });
});

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
