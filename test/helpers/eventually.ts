import { expect } from 'vitest';
import { PATIENCE } from './patience.ts';

/** An expectation that may take a while to come true on a busy machine. */
export function eventually<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: PATIENCE, interval: 20 });
}
