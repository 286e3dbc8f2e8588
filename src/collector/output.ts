/** Samples of pollsters in this process, straight into the collector. */
import type { Output } from '../output/output.ts';
import { untilAborted } from '../util/scope.ts';
import type { Collector } from './collector.ts';
import { recordOf } from './record.ts';

export interface CollectorOutputOptions {
  /** What the samples count to in the collector's list of agents. */
  readonly agent: string;
}

/**
 * `publish` settles when the batch is committed: what it took is never lost, also when the process is killed. Closing
 * it leaves the collector as it is.
 */
export function createCollectorOutput(collector: Collector, { agent }: CollectorOutputOptions): Output {
  let pending = 0;
  let flushed: (() => void)[] = [];

  return {
    async publish(batch, signal) {
      pending += batch.length;
      const taken = collector.take(
        agent,
        batch.map((sample) => () => recordOf(sample)),
      );
      const done = taken.finally(() => {
        pending -= batch.length;
        if (pending > 0) return;
        for (const resolve of flushed) resolve();
        flushed = [];
      });
      // Given up here, it still is stored when the store is there again.
      done.catch(() => {});
      await untilAborted(done, signal);
    },
    async flush(signal) {
      if (pending > 0)
        await untilAborted(new Promise<void>((resolve) => flushed.push(resolve)), signal).catch(() => {});
      return pending;
    },
    close: async () => {},
  };
}
