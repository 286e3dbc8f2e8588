import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE } from './patience.ts';

/** Waits until something is so; fails with what it was waiting for when it never is. */
export async function until(what: string, isSo: () => boolean, milliseconds = PATIENCE): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not so after ${milliseconds} ms: ${what}`);
    await sleep(10);
  }
}
