/** The notification agent of one process: listeners, a handler, and what a reload replaces of them. */
import type { AgentHost } from '../agent/host.ts';
import { NotificationListener } from '../messaging/listener.ts';
import type { ListenerPlan } from '../messaging/listener-options.ts';
import type { Logger } from '../plugin.ts';
import { systemClock } from '../util/clock.ts';
import type { Assembly } from './assembly.ts';
import { createHandler, type HandlerGeneration } from './handler.ts';

/** Everything that one reading of the configuration made. */
export interface NotificationGeneration {
  readonly assembly: Assembly;
  readonly listeners: readonly ListenerPlan[];
  readonly host: AgentHost;
  /** Milliseconds that messages in hand get after the first signal; 0 is no limit. */
  readonly grace: number;
  /** Milliseconds for which a publisher that fails is tried again. */
  readonly patience: number;
}

export interface NotificationAgent {
  /** Resolves when all listeners take messages. */
  readonly ready: Promise<void>;
  readonly grace: number;
  /** Goes on with a new configuration. What is in hand is finished with the old one. */
  replace(next: NotificationGeneration): Promise<void>;
  /** Takes no further messages, finishes what is in hand until `kill` aborts, and lets go of everything. */
  stop(): Promise<void>;
}

export function startNotificationAgent(
  first: NotificationGeneration,
  log: Logger,
  kill: AbortSignal,
): NotificationAgent {
  let current = first;
  const handler = createHandler(generationOf(first), { log, kill });
  let listeners = listen(first.listeners);

  function listen(plans: readonly ListenerPlan[]): readonly NotificationListener[] {
    return plans.map(({ options, warnings }) => {
      for (const warning of warnings) log.warn({}, warning);
      return new NotificationListener(options, handler.handle, log);
    });
  }

  async function end(old: readonly NotificationListener[]): Promise<void> {
    await Promise.all(old.map((listener) => listener.stop()));
    await Promise.all(old.map((listener) => listener.drained(kill)));
    await Promise.all(old.map((listener) => listener.close()));
  }

  return {
    ready: Promise.all(listeners.map(({ ready }) => ready)).then(() => {}),
    get grace() {
      return current.grace;
    },
    async replace(next) {
      const previous = current;
      current = next;
      const unused = handler.replace(generationOf(next));
      // Queues and brokers seldom change, and then the connections stay.
      if (JSON.stringify(previous.listeners) !== JSON.stringify(next.listeners)) {
        const old = listeners;
        listeners = listen(next.listeners);
        await end(old);
      }
      await unused;
      await close(previous);
    },
    async stop() {
      await end(listeners);
      await close(current);
    },
  };
}

function generationOf({ assembly, patience }: NotificationGeneration): HandlerGeneration {
  return { assembly, limits: { clock: systemClock, patience } };
}

async function close({ assembly, host }: NotificationGeneration): Promise<void> {
  await assembly.close();
  await host.close();
}
