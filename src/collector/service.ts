/** The life of the collector's daemon: from the broker into the store, until a signal ends it. */
import type { Log } from '../log.ts';
import { NotificationListener } from '../messaging/listener.ts';
import type { ListenerPlan } from '../messaging/listener-options.ts';
import { createEnds, onSignals } from '../util/daemon.ts';
import type { SystemdNotify } from '../util/sd-notify.ts';
import type { OpenCollector } from './open.ts';

export interface CollectorServiceParts {
  readonly open: (kill: AbortSignal) => Promise<OpenCollector>;
  readonly plan: ListenerPlan;
  /** Milliseconds that what is in hand gets after the first signal; 0 is no limit. */
  readonly grace: number;
  readonly log: Log;
  readonly notify: SystemdNotify;
}

/** Runs until a signal ends it. Rejects with `ConfigError` where it cannot start. */
export async function runCollectorService({ open, plan, grace, log, notify }: CollectorServiceParts): Promise<void> {
  const ends = createEnds(log, 'the samples in hand are');
  let first: NodeJS.Signals | undefined;
  let stop = (_signal: NodeJS.Signals) => {};
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    stop = resolve;
  });
  function endOn(signal: NodeJS.Signals): void {
    if (first !== undefined) ends.force(signal);
    first ??= signal;
    stop(first);
  }

  using _signals = onSignals({
    SIGTERM: () => endOn('SIGTERM'),
    SIGINT: () => endOn('SIGINT'),
    // Log rotation; a changed configuration takes a restart, which loses nothing.
    SIGHUP: () => log.reopen(),
  });
  try {
    const { collector, api, close } = await open(ends.kill);
    for (const warning of plan.warnings) log.warn({}, warning);
    log.info({ url: api.url, store: collector.store.kind }, 'the read API answers');
    const listener = new NotificationListener(plan.options, collector.handle, log);
    void listener.ready.then(() => {
      notify.ready(`collecting; ${api.url}`);
      log.info({ topologies: plan.options.topologies.map(({ routingKeys }) => routingKeys) }, 'taking samples');
    });
    const signal = await stopped;
    notify.stopping();
    ends.begin(grace, signal);
    await listener.stop();
    await listener.drained(ends.kill);
    await listener.close();
    await close();
  } finally {
    ends.force('end');
    await notify.close();
  }
}
