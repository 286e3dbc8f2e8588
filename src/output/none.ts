import type { Output } from './output.ts';

/** Polls for nothing but the polling: samples are read and forgotten. */
export function createNoneOutput(): Output {
  return { publish: async () => {}, flush: async () => 0, close: async () => {} };
}
