/** Time, injected where it decides something, so that tests can move it. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch; may step. */
  now(): number;
  /** Milliseconds on a clock that never steps. */
  monotonic(): number;
  /** Resolves after the time, or at once when the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(milliseconds, signal) {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(milliseconds, 2 ** 31 - 1));
      signal.addEventListener('abort', done, { once: true });
    });
  },
};
