import { expect } from 'vitest';

/** An expectation that may take a while to come true on a busy machine. */
export function eventually<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: 20_000, interval: 20 });
}
