/**
 * Tells systemd how the service is doing. Node has no Unix datagrams, so `systemd-notify` carries each message: about
 * 12 ms of a child process. The unit needs `NotifyAccess=all`, since the message comes from that child.
 */
import { execFile } from 'node:child_process';
import { codeOf, describeError } from '../errors.ts';
import type { Logger } from '../plugin.ts';

export interface SystemdNotify {
  /** The service is up, or up again after a reload. */
  ready(status: string): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** A reload begins; `ready` ends it. */
  reloading(): void;
  stopping(): void;
  /** Ends the signs of life, and waits a few seconds at most for the messages that are on their way. */
  close(): Promise<void>;
}

/** Carries one message; rejects when that failed. */
export type SendNotification = (assignments: readonly string[]) => Promise<void>;

export interface SystemdNotifyOptions {
  readonly log: Logger;
  /** The process's own where left out. */
  readonly env?: NodeJS.ProcessEnv;
  /** Takes the place of `systemd-notify`. */
  readonly send?: SendNotification;
}

const TOOL = 'systemd-notify';

const SEND_TIMEOUT_MS = 5000;

/** With this many on their way, one that only tells a status or a sign of life is not worth another process. */
const QUEUE_LIMIT = 8;

function sendWith(env: NodeJS.ProcessEnv): SendNotification {
  return (assignments) =>
    new Promise((resolve, reject) => {
      // Without the watchdog's variables, which are meant for this process.
      const { NOTIFY_SOCKET, PATH } = env;
      const options = { env: { NOTIFY_SOCKET, PATH }, timeout: SEND_TIMEOUT_MS };
      execFile(TOOL, ['--', ...assignments], options, (error) => (error ? reject(error) : resolve()));
    });
}

/** Half of the time within which systemd wants to hear of this process; undefined where it does not. */
function watchdogInterval({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | undefined {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) return undefined;
  const microseconds = Number(WATCHDOG_USEC);
  return microseconds > 0 ? Math.min(microseconds / 2000, 2 ** 31 - 1) : undefined;
}

const silent: SystemdNotify = {
  ready() {},
  status() {},
  reloading() {},
  stopping() {},
  close: async () => {},
};

/** Does nothing where systemd did not ask. Nothing of it ever throws; the first message that fails is logged. */
export function createSystemdNotify({
  log,
  env = process.env,
  send = sendWith(env),
}: SystemdNotifyOptions): SystemdNotify {
  if (!env['NOTIFY_SOCKET']) return silent;
  const interval = watchdogInterval(env);
  let watchdog: NodeJS.Timeout | undefined;
  let last: Promise<void> = Promise.resolve();
  let queued = 0;
  let failing = false;

  /** One after the other: systemd has to see them in their order. */
  function tell(...assignments: readonly string[]): void {
    queued += 1;
    last = last
      .then(() => send(assignments))
      .then(
        () => {
          failing = false;
        },
        (error: unknown) => {
          const reason = codeOf(error) === 'ENOENT' ? `there is no ${TOOL} on the PATH` : describeError(error);
          if (!failing) log.warn({ reason }, 'systemd cannot be told how the service is doing');
          failing = true;
        },
      )
      .finally(() => {
        queued -= 1;
      });
  }

  function tellUnlessBusy(assignment: string): void {
    if (queued < QUEUE_LIMIT) tell(assignment);
  }

  const oneLine = (text: string) => `STATUS=${text.replace(/\s+/g, ' ')}`;

  return {
    ready(status) {
      tell('READY=1', oneLine(status));
      // A process whose event loop hangs does not send, and is started anew.
      if (interval !== undefined && watchdog === undefined) {
        watchdog = setInterval(() => tellUnlessBusy('WATCHDOG=1'), interval);
        watchdog.unref();
      }
    },
    status(text) {
      tellUnlessBusy(oneLine(text));
    },
    reloading() {
      tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    },
    stopping() {
      tell('STOPPING=1');
    },
    async close() {
      clearInterval(watchdog);
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, SEND_TIMEOUT_MS);
      });
      await Promise.race([last, timeout]);
      clearTimeout(timer);
    },
  };
}
