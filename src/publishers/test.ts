/** `test://`: keeps what it gets in memory, for tests of pipelines and plugins. */
import type { Event, NotificationSample } from '../notification.ts';
import type { Publisher } from '../plugin.ts';

export interface TestPublisher extends Publisher {
  readonly samples: NotificationSample[];
  readonly events: Event[];
  /** How often it was called. */
  readonly calls: number;
}

/** So that an agent that somebody left running with it does not fill the memory. */
const MOST_KEPT = 10_000;

export function testPublisher(): TestPublisher {
  const samples: NotificationSample[] = [];
  const events: Event[] = [];
  let calls = 0;
  const keep = <T>(list: T[], batch: readonly T[]) => {
    list.push(...batch);
    list.splice(0, Math.max(0, list.length - MOST_KEPT));
    calls += 1;
  };
  return {
    samples,
    events,
    get calls() {
      return calls;
    },
    async publishSamples(batch) {
      keep(samples, batch);
    },
    async publishEvents(batch) {
      keep(events, batch);
    },
    async close() {},
  };
}
