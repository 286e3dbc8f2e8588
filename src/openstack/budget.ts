/** How much is asked of each service: so many requests at a time, so many in a second. */
import type { Clock } from '../util/clock.ts';

export interface Budget {
  /** Makes a request of the service when its turn comes; rejects with the signal's reason when that aborts before. */
  spend<T>(service: string, signal: AbortSignal, request: () => Promise<T>): Promise<T>;
}

export interface BudgetSettings {
  /** 0 sets no limit. */
  readonly perSecond: number;
  readonly atATime: number;
  readonly clock: Clock;
}

interface Gate {
  underWay: number;
  /** When the next request may begin. */
  nextAt: number;
  readonly waiting: Set<() => void>;
}

export function createBudget({ perSecond, atATime, clock }: BudgetSettings): Budget {
  const gates = new Map<string, Gate>();

  function gateOf(service: string): Gate {
    const gate = gates.get(service) ?? { underWay: 0, nextAt: 0, waiting: new Set() };
    gates.set(service, gate);
    return gate;
  }

  async function pace(gate: Gate, signal: AbortSignal): Promise<void> {
    if (perSecond === 0) return;
    const now = clock.monotonic();
    const at = Math.max(now, gate.nextAt);
    gate.nextAt = at + 1000 / perSecond;
    if (at > now) await clock.sleep(at - now, signal);
    signal.throwIfAborted();
  }

  return {
    async spend(service, signal, request) {
      const gate = gateOf(service);
      await turn(gate, atATime, signal);
      try {
        await pace(gate, signal);
        return await request();
      } finally {
        leave(gate);
      }
    },
  };
}

/** Resolves with a place in the gate, first come, first served. */
function turn(gate: Gate, places: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (gate.underWay < places) {
    gate.underWay += 1;
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    const enter = () => {
      signal.removeEventListener('abort', abandon);
      resolve();
    };
    const abandon = () => {
      gate.waiting.delete(enter);
      reject(signal.reason);
    };
    gate.waiting.add(enter);
    signal.addEventListener('abort', abandon, { once: true });
  });
}

/** Hands the place on, or gives it back. */
function leave(gate: Gate): void {
  const [next] = gate.waiting;
  if (next === undefined) {
    gate.underWay -= 1;
    return;
  }
  gate.waiting.delete(next);
  next();
}
