/** What both daemons do alike: signals, the two steps of an end, and a reload that may fail. */
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SystemdNotify } from './sd-notify.ts';

/** What ends the process, and how soon. */
export interface Ends {
  /** Take no new work. */
  readonly stop: AbortSignal;
  /** Let go now. */
  readonly kill: AbortSignal;
  /** Begins the end; what is in hand gets the grace in milliseconds, 0 is no limit. */
  begin(grace: number, why: string): void;
  /** Ends what is left at once. */
  force(why: string): void;
}

/** `inHand` is what a person calls the work that is finished first. */
export function createEnds(log: Log, inHand: string): Ends {
  const stop = new AbortController();
  const kill = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  function force(why: string): void {
    clearTimeout(timer);
    stop.abort(new Error(why));
    kill.abort(new Error(why));
  }
  return {
    stop: stop.signal,
    kill: kill.signal,
    begin(grace, why) {
      log.info({ signal: why, graceSeconds: grace / 1000 }, `stopping, ${inHand} finished`);
      stop.abort(new Error(why));
      if (grace > 0) {
        timer = setTimeout(() => force(`the grace period of ${grace / 1000} s is over`), grace);
        timer.unref();
      }
    },
    force,
  };
}

/** Listens to signals until disposed of. */
export function onSignals(handlers: Readonly<Partial<Record<NodeJS.Signals, () => void>>>): Disposable {
  const entries = Object.entries(handlers);
  for (const [signal, handler] of entries) process.on(signal, handler);
  return {
    [Symbol.dispose]() {
      for (const [signal, handler] of entries) process.off(signal, handler);
    },
  };
}

/** What the new configuration makes; undefined, and told, where it is wrong. The caller tells when it is ready. */
export async function reloaded<T>(
  work: () => Promise<T>,
  { log, notify }: { readonly log: Log; readonly notify: SystemdNotify },
): Promise<T | undefined> {
  notify.reloading();
  log.reopen();
  try {
    return await work();
  } catch (err) {
    log.error({ reason: describeError(err) }, 'the new configuration is wrong, the old one goes on');
    notify.ready('the new configuration is wrong, the old one goes on');
    return undefined;
  }
}
