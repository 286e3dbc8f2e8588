/** Hands something to a publisher until it has it, or long enough. */
import { codeOf, DeliveryError } from '../errors.ts';
import type { Clock } from '../util/clock.ts';
import type { Publication } from './pipeline.ts';
import type { LoadedPublisher } from './publishers.ts';

export interface DeliveryLimits {
  readonly clock: Clock;
  /**
   * Milliseconds from the first attempt after which there is no other. They are counted from the publisher's last
   * success on: while it stays away, what comes later gets one attempt each and holds nobody up.
   */
  readonly patience: number;
}

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5000;

/** Since when a publisher fails, on the clock that never steps. */
const failing = new WeakMap<LoadedPublisher, number>();

/** Rejects with the last error of the publisher, or with the reason of the signal. */
export async function deliver(
  { publisher: target, samples, events }: Publication,
  signal: AbortSignal,
  { clock, patience }: DeliveryLimits,
): Promise<void> {
  const { name, publisher } = target;
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      if (samples.length > 0) await publisher.publishSamples?.(samples, signal);
      if (events.length > 0) await publisher.publishEvents?.(events, signal);
      failing.delete(target);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal(error)) throw new DeliveryError(`publisher ${name}`, { cause: error, retryable: false });
      const now = clock.monotonic();
      const since = failing.get(target) ?? now;
      failing.set(target, since);
      if (now - since + wait > patience) {
        throw new DeliveryError(`publisher ${name}`, { cause: error, retryable: false });
      }
      // Spread out, so that what failed together does not come back together.
      await clock.sleep(wait * (0.5 + Math.random() / 2), signal);
      signal.throwIfAborted();
    }
  }
}

function isFinal(error: unknown): boolean {
  const retryable = typeof error === 'object' && error !== null && 'retryable' in error ? error.retryable : undefined;
  return codeOf(error) === 'ERR_DELIVERY' && retryable === false;
}
