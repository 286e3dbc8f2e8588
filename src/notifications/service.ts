/** The life of the notification daemon: signals, reload, grace period. */
import type { Log } from '../log.ts';
import { createEnds, onSignals, reloaded } from '../util/daemon.ts';
import type { SystemdNotify } from '../util/sd-notify.ts';
import { plural } from '../util/text.ts';
import { createTurns } from '../util/turns.ts';
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
  const ends = createEnds(log, 'the notifications in hand are');
  const agent = startNotificationAgent(parts.first, log, ends.kill);
  const status = ({ assembly }: NotificationGeneration) =>
    `listening with ${plural(assembly.endpoints.length, 'endpoint')} and ${plural(assembly.publishers.length, 'publisher')}`;
  async function reload(): Promise<void> {
    const next = await reloaded(async () => {
      const made = await parts.reload();
      await agent.replace(made);
      return made;
    }, parts);
    if (next === undefined) return;
    notify.ready(status(next));
    log.info({ endpoints: next.assembly.endpoints, publishers: next.assembly.publishers }, 'configuration reloaded');
  }

  const inTurn = createTurns();
  using _signals = onSignals(ends, { grace: () => agent.grace, hangUp: () => void inTurn(reload) });
  try {
    void agent.ready.then(() => {
      notify.ready(status(parts.first));
      log.info({ endpoints: parts.first.assembly.endpoints }, 'taking notifications');
      parts.onReady();
    });
    await ends.stopped;
    // After the reloads that were asked for before.
    await inTurn(async () => notify.stopping());
    await agent.stop();
  } finally {
    ends.force('end');
    await notify.close();
  }
}
