/** The life of the notification daemon: signals, reload, grace period. */
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SystemdNotify } from '../util/sd-notify.ts';
import { type NotificationGeneration, startNotificationAgent } from './agent.ts';

export interface NotificationServiceParts {
  readonly first: NotificationGeneration;
  /** Reads the configuration anew. Rejects when it is wrong; what runs then goes on. */
  readonly reload: () => Promise<NotificationGeneration>;
  readonly log: Log;
  readonly notify: SystemdNotify;
  /** Called once, when messages are taken for the first time. */
  readonly onReady: () => void;
}

/** Runs until a signal ends it. */
export async function runNotificationService(parts: NotificationServiceParts): Promise<void> {
  const { log, notify } = parts;
  const kill = new AbortController();
  const agent = startNotificationAgent(parts.first, log, kill.signal);
  const status = ({ assembly }: NotificationGeneration) =>
    `listening with ${assembly.endpoints.length} endpoints and ${assembly.publishers.length} publishers`;
  let stop = (_signal: string) => {};
  const stopped = new Promise<string>((resolve) => {
    stop = resolve;
  });

  async function reload(): Promise<void> {
    notify.reloading();
    log.reopen();
    try {
      const next = await parts.reload();
      await agent.replace(next);
      notify.ready(status(next));
      log.info({ endpoints: next.assembly.endpoints, publishers: next.assembly.publishers }, 'configuration reloaded');
    } catch (err) {
      log.error({ reason: describeError(err) }, 'the new configuration is wrong, the old one goes on');
      notify.ready('the new configuration is wrong, the old one goes on');
    }
  }

  let signals = 0;
  const end = (signal: NodeJS.Signals) => {
    signals += 1;
    if (signals > 1) kill.abort(new Error(signal));
    stop(signal);
  };
  let reloads: Promise<void> = Promise.resolve();
  const hangUp = () => {
    reloads = reloads.then(reload);
  };
  process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', hangUp);
  try {
    void agent.ready.then(() => {
      notify.ready(status(parts.first));
      log.info({ endpoints: parts.first.assembly.endpoints }, 'taking notifications');
      parts.onReady();
    });
    const signal = await stopped;
    await reloads;
    notify.stopping();
    const { grace } = agent;
    log.info({ signal, graceSeconds: grace / 1000 }, 'stopping, the notifications in hand are finished');
    const timer = grace > 0 ? setTimeout(() => kill.abort(new Error('the grace period is over')), grace) : undefined;
    await agent.stop();
    clearTimeout(timer);
  } finally {
    kill.abort(new Error('end'));
    await notify.close();
    process.off('SIGTERM', end).off('SIGINT', end).off('SIGHUP', hangUp);
  }
}
