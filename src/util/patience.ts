import type { Clock } from './clock.ts';
import { untilAborted } from './scope.ts';

/**
 * Waits for a promise, but only so long: tells whether it settled in time. It then goes on without anyone waiting.
 * Rejects with the signal's reason when that aborts, never because of the promise.
 */
export async function settledWithin(
  promise: Promise<unknown>,
  milliseconds: number,
  signal: AbortSignal,
  clock: Clock,
): Promise<boolean> {
  const over = new AbortController();
  const late = clock.sleep(milliseconds, over.signal).then(() => false);
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await untilAborted(Promise.race([settled, late]), signal);
  } finally {
    over.abort();
  }
}
