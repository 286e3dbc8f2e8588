import { describe, expect, it } from 'vitest';
import { reconnectDelay } from '../../src/messaging/reconnect-delay.ts';

const retry = { interval: 1000, step: 2000, max: 30_000, afterLoss: 1500 };

describe('reconnectDelay', () => {
  it('grows as oslo.messaging waits, up to the maximum', () => {
    const longest = [1, 2, 3, 4, 15, 16, 1000].map((failures) => reconnectDelay(failures, retry, () => 1));

    expect(longest).toEqual([1000, 3000, 5000, 7000, 29_000, 30_000, 30_000]);
  });

  it('has a limit of its own after a good connection was lost', () => {
    expect(reconnectDelay(0, retry, () => 1)).toBe(1500);
  });

  it('is any time up to the limit, so that agents do not come back together', () => {
    expect([0, 0.25, 0.5].map((random) => reconnectDelay(2, retry, () => random))).toEqual([0, 750, 1500]);
  });
});
