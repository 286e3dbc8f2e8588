/** What all daemons do alike: signals, the two steps of an end, and a reload that may fail. */
import { EventEmitter } from 'node:events';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { takeEarlySignal } from './early-signals.ts';
import type { SystemdNotify } from './sd-notify.ts';

/** What ends the process, and how soon. */
export interface Ends {
  /** Take no new work. */
  readonly stop: AbortSignal;
  /** Let go now. */
  readonly kill: AbortSignal;
  /** Resolves when `stop` has aborted. */
  readonly stopped: Promise<void>;
  /** Begins the end; what is in hand gets the grace in milliseconds, 0 is no limit. */
  begin(grace: number, why: string): void;
  /** Ends what is left at once. */
  force(why: string): void;
}

/** `inHand` is what a person calls the work that is finished first, with its verb: `the cycle in hand is`. */
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
    stopped: new Promise((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true })),
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

export interface EndOptions {
  /** Asked when the end begins. */
  grace(): number;
  /** SIGHUP. */
  hangUp(): void;
  /** SIGINT ends what is in hand, too: for a person at a terminal. */
  readonly interruptIsFinal?: boolean;
}

/**
 * Listens until disposed of: SIGTERM and SIGINT begin the end, a second one forces it. One that came while the program
 * was being loaded counts.
 */
export function onSignals(ends: Ends, { grace, hangUp, interruptIsFinal = false }: EndOptions): Disposable {
  const end = (signal: NodeJS.Signals) => {
    if (ends.stop.aborted || (signal === 'SIGINT' && interruptIsFinal)) ends.force(signal);
    else ends.begin(grace(), signal);
  };
  const endings = { SIGTERM: () => end('SIGTERM'), SIGINT: () => end('SIGINT') };
  const listening = listen({ ...endings, SIGHUP: hangUp }, endings.SIGTERM);
  const early = takeEarlySignal();
  if (early !== undefined) end(early);
  return listening;
}

/**
 * For a run that polls once: calls `end` on each signal, and `gone` when nobody reads its output, until disposed of.
 */
export function onAnyEnd(end: () => void, gone: () => void): Disposable {
  return listen({ SIGTERM: end, SIGINT: end }, gone);
}

const output = new EventEmitter<{ gone: [] }>();

/**
 * Nobody reads on, as after `| head`: that ends the program. It is no SIGPIPE, which would also come when a broker
 * closes a connection.
 */
export function outputGone(): void {
  output.emit('gone');
}

function listen(handlers: Readonly<Partial<Record<NodeJS.Signals, () => void>>>, gone: () => void): Disposable {
  const entries = Object.entries(handlers);
  for (const [signal, handler] of entries) process.on(signal, handler);
  output.on('gone', gone);
  return {
    [Symbol.dispose]() {
      for (const [signal, handler] of entries) process.off(signal, handler);
      output.off('gone', gone);
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
