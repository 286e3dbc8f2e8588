import type { Output } from './output.ts';

/** What `first` holds safely goes on to `second`: nothing is shown that could be lost. Closes both. */
export function createBoth(first: Output, second: Output): Output {
  return {
    async publish(batch, signal, interval) {
      await first.publish(batch, signal, interval);
      await second.publish(batch, signal, interval);
    },
    cycleEnded(report) {
      first.cycleEnded?.(report);
      second.cycleEnded?.(report);
    },
    async flush(signal) {
      const [undelivered, unseen] = await Promise.all([first.flush(signal), second.flush(signal)]);
      return undelivered + unseen;
    },
    async close() {
      await Promise.all([first.close(), second.close()]);
    },
  };
}
