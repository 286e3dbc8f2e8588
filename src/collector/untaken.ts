/** Where the collector takes a copy of what polling agents send, somebody has to take the original, too. */
import type { QueueDepth } from '../messaging/listener.ts';
import type { Logger } from '../plugin.ts';
import { type Clock, systemClock } from '../util/clock.ts';

export interface WatchParts {
  readonly log: Logger;
  readonly stop: AbortSignal;
  readonly clock?: Clock;
}

/** Milliseconds between two looks: an agent that starts anew has time to come back. */
const PERIOD = 60_000;

/**
 * Warns once of each queue that grows from one look to the next and has no consumer. Resolves when `stop` aborts. What
 * `depthOf` rejects with counts as not known.
 */
export async function watchUntaken(
  queues: readonly string[],
  depthOf: (queue: string) => Promise<QueueDepth | undefined>,
  { log, stop, clock = systemClock }: WatchParts,
): Promise<void> {
  const before = new Map<string, number>();
  const left = new Set(queues);
  while (left.size > 0 && !stop.aborted) {
    await clock.sleep(PERIOD, stop);
    for (const queue of left) {
      if (stop.aborted) break;
      const depth = await depthOf(queue).catch(() => undefined);
      const last = before.get(queue);
      if (depth === undefined || depth.consumers > 0) before.delete(queue);
      else before.set(queue, depth.messages);
      if (depth === undefined || depth.consumers > 0 || last === undefined || depth.messages <= last) continue;
      left.delete(queue);
      log.warn(
        { queue, messages: depth.messages },
        'nobody takes polled samples from their queue, and it grows: the collector has copies of its own. ' +
          'Run a notification agent, or set [collector] polled_samples = take',
      );
    }
  }
}
