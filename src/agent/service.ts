/** The life of the polling daemon: signals, reload, grace period, and the order in which things end. */
import { AgentError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Output } from '../output/output.ts';
import { createEnds, onAnyEnd, onSignals, reloaded } from '../util/daemon.ts';
import { scope, untilAborted } from '../util/scope.ts';
import type { SystemdNotify } from '../util/sd-notify.ts';
import { plural } from '../util/text.ts';
import type { AgentManager } from './manager.ts';

/** Everything that one reading of the configuration made. */
export interface Generation {
  readonly manager: AgentManager;
  readonly output: Output;
  /** Milliseconds that a cycle in hand gets after the first signal, and delivery after that; 0 is no limit. */
  readonly grace: number;
  /** Gives the shared work to other agents, before the last slot of this one. Never rejects; takes a limited time. */
  leave(): Promise<void>;
  /** Lets go of all that only this generation uses, its output too. Called once, after the last flush. */
  close(): Promise<void>;
}

export interface ServiceParts {
  readonly first: Generation;
  /** Reads the configuration anew. Rejects when it is wrong; what runs then goes on. */
  readonly reload: () => Promise<Generation>;
  readonly log: Log;
  readonly notify: SystemdNotify;
  /** For a person at a terminal: the first SIGINT ends the cycle in hand, too. */
  readonly interruptIsFinal: boolean;
}

/** Runs until a signal ends it. Resolves to the number of samples that could not be delivered. */
export async function runService(parts: ServiceParts): Promise<number> {
  const { log, notify } = parts;
  const ends = createEnds(log, 'the cycle in hand is');
  let current = parts.first;
  const reloads = createRequests();
  const retired: Promise<number>[] = [];
  using _signals = onSignals(ends, {
    grace: () => current.grace,
    hangUp: reloads.ask,
    interruptIsFinal: parts.interruptIsFinal,
  });
  try {
    log.info({ pollsters: current.manager.pollsters }, 'polling begins');
    notify.ready(`polling with ${plural(current.manager.pollsters, 'pollster')}`);
    let predecessor: AgentManager | undefined;
    while (!ends.stop.aborted) {
      const handover = new AbortController();
      const { leave } = current;
      // The others take over from now on; a slot that comes until they know of it is still polled here.
      const follow = () => void leave().finally(() => handover.abort());
      const force = () => handover.abort();
      ends.stop.addEventListener('abort', follow);
      ends.kill.addEventListener('abort', force);
      const running = current.manager.run(handover.signal, ends.kill, predecessor);
      let next: Generation | undefined;
      while (next === undefined) {
        const asked = reloads.next().then(() => 'reload');
        if ((await Promise.race([running, asked])) !== 'reload') break;
        next = await reloaded(parts.reload, parts);
      }
      handover.abort();
      ends.stop.removeEventListener('abort', follow);
      ends.kill.removeEventListener('abort', force);
      await running;
      if (next === undefined) break;
      predecessor = current.manager;
      retired.push(retire(current, next, ends.kill, log));
      current = next;
      notify.ready(`polling with ${plural(current.manager.pollsters, 'pollster')}`);
      log.info({ pollsters: current.manager.pollsters }, 'configuration reloaded');
    }
    notify.stopping();
    const undelivered = await Promise.all([...retired, flush(current, ends.kill, log)]);
    return undelivered.reduce((sum, samples) => sum + samples, 0);
  } finally {
    ends.force('end');
    await Promise.all([...retired, current.close(), notify.close()]);
  }
}

/** The old generation still delivers what it polled, beside the new one. */
async function retire(old: Generation, next: Generation, kill: AbortSignal, log: Log): Promise<number> {
  const undelivered = old.output === next.output ? 0 : await flush(old, kill, log);
  await old.close();
  return undelivered;
}

async function flush({ output, grace }: Generation, kill: AbortSignal, log: Log): Promise<number> {
  using limit = scope(kill, grace === 0 ? Number.MAX_SAFE_INTEGER : grace, 'delivery');
  const undelivered = await output.flush(limit.signal);
  if (undelivered > 0) log.error({ samples: undelivered }, 'samples could not be delivered and are lost');
  return undelivered;
}

/** Requests that are served one at a time; one that comes meanwhile is kept, several count as one. */
function createRequests(): { ask(): void; next(): Promise<void> } {
  let asked = false;
  let wake = () => {};
  return {
    ask() {
      asked = true;
      wake();
    },
    async next() {
      if (!asked) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      asked = false;
    },
  };
}

/**
 * For a run that polls once: ends it on the first signal, and when nobody reads its output any more (ERR_OUTPUT_GONE).
 */
export async function withSignals<T>(work: (kill: AbortSignal) => Promise<T>): Promise<T> {
  const kill = new AbortController();
  const end = () => kill.abort(new AgentError('ERR_INTERRUPTED', 'interrupted'));
  const gone = () => kill.abort(new AgentError('ERR_OUTPUT_GONE', 'nobody reads the output'));
  using _signals = onAnyEnd(end, gone);
  return await untilAborted(work(kill.signal), kill.signal);
}
