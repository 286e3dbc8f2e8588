import { setMaxListeners } from 'node:events';
import { DeadlineError } from '../errors.ts';

export interface Scope extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A signal that follows `parent` and also aborts after `milliseconds`. Disposing undoes both. It stands in for
 * `AbortSignal.any`, which keeps every signal it ever made alive for as long as a process-long parent.
 */
export function scope(parent: AbortSignal, milliseconds: number, what: string): Scope {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const follow = () => controller.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  const timer = setTimeout(
    () => controller.abort(new DeadlineError(`${what} not done after ${seconds(milliseconds)} s`)),
    Math.min(milliseconds, 2 ** 31 - 1),
  );
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent.removeEventListener('abort', follow);
    },
  };
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3).replace(/\.?0+$/, '');
}

/**
 * Settles with the promise, or rejects with the signal's reason as soon as it aborts; the promise is then let go of.
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abandon = () => reject(signal.reason);
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon));
  });
}

/** The outcome of work that takes no signal; when it takes too long, it is let go of. */
export async function within<T>(milliseconds: number, what: string, work: () => T | Promise<T>): Promise<T> {
  using limit = scope(new AbortController().signal, milliseconds, what);
  return await untilAborted((async () => work())(), limit.signal);
}
