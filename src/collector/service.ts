/** The life of the collector's daemon: from the broker into the store, until a signal ends it. */
import type { Log } from '../log.ts';
import { NotificationListener } from '../messaging/listener.ts';
import type { ListenerPlan } from '../messaging/listener-options.ts';
import { createEnds, onSignals, reloaded } from '../util/daemon.ts';
import type { SystemdNotify } from '../util/sd-notify.ts';
import { createTurns } from '../util/turns.ts';
import type { OpenCollector } from './open.ts';
import { watchUntaken } from './untaken.ts';

export interface CollectorServiceParts {
  readonly open: (kill: AbortSignal) => Promise<OpenCollector>;
  /** Reads the configuration anew and gives it to what is open. Rejects when it is wrong; what runs then goes on. */
  readonly reload: (open: OpenCollector) => Promise<void>;
  readonly plan: ListenerPlan;
  /** Queues of which the collector takes copies. */
  readonly copied: readonly string[];
  /** Milliseconds that what is in hand gets after the first signal; 0 is no limit. */
  readonly grace: number;
  readonly log: Log;
  readonly notify: SystemdNotify;
}

/** Runs until a signal ends it. Rejects with `ConfigError` where it cannot start. */
export async function runCollectorService(parts: CollectorServiceParts): Promise<void> {
  const { plan, log, notify } = parts;
  const ends = createEnds(log, 'the samples in hand are');
  let running: OpenCollector | undefined;

  async function reload(): Promise<void> {
    const open = running;
    // What is opened later reads the files later.
    if (open === undefined) return log.reopen();
    const done = await reloaded(() => parts.reload(open).then(() => true), parts);
    if (done === undefined) return;
    notify.ready(`collecting; ${open.api.url}`);
    log.info({}, 'configuration reloaded');
  }

  const inTurn = createTurns();
  using _signals = onSignals(ends, { grace: () => parts.grace, hangUp: () => void inTurn(reload) });
  try {
    running = await parts.open(ends.kill);
    const { collector, api, close } = running;
    for (const warning of plan.warnings) log.warn({}, warning);
    log.info({ url: api.url, store: collector.store.kind }, 'the read API answers');
    const listener = new NotificationListener(plan.options, collector.handle, log);
    void listener.ready.then(() => {
      notify.ready(`collecting; ${api.url}`);
      log.info({ topologies: plan.options.topologies.map(({ routingKeys }) => routingKeys) }, 'taking samples');
    });
    const watching = watchUntaken(parts.copied, (queue) => listener.depth(queue), { log, stop: ends.stop });
    await ends.stopped;
    await inTurn(async () => notify.stopping());
    await listener.stop();
    await listener.drained(ends.kill);
    await listener.close();
    await watching;
    await close();
  } finally {
    ends.force('end');
    await notify.close();
  }
}
