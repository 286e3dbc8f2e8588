/** How much is asked of each service: so many requests at a time, so many in a second. */
import type { Clock } from '../util/clock.ts';

/** `[polling] max_requests_per_second` and `max_requests_in_flight`, which hold for each service. */
export interface RequestBudget {
  /**
   * Makes a request of the service when its turn comes; rejects with the signal's reason when that aborts before. The
   * name of the service is shown in the metrics.
   */
  spend<T>(service: string, signal: AbortSignal, request: () => Promise<T>): Promise<T>;
}

export interface Budget extends RequestBudget {
  /** What each service was asked so far. */
  use(): readonly ServiceUse[];
}

export interface ServiceUse {
  readonly service: string;
  /** Begun, repeated ones included. */
  readonly requests: number;
  readonly inFlight: number;
  /** Those that have not begun yet. */
  readonly waiting: number;
  /** How many could not begin at once, and have begun or were given up since. */
  readonly waits: number;
  /** What those waited, in all. */
  readonly waitSeconds: number;
  readonly inFlightLimit: number;
  /** 0 is no limit. */
  readonly perSecondLimit: number;
}

export interface BudgetSettings {
  /** 0 sets no limit. */
  readonly maxRequestsPerSecond: number;
  readonly maxRequestsInFlight: number;
  readonly clock: Clock;
}

interface Gate {
  underWay: number;
  /** When the next request may begin. */
  nextAt: number;
  readonly waiting: Set<() => void>;
  asked: number;
  requests: number;
  ended: number;
  abandoned: number;
  waits: number;
  waitMilliseconds: number;
}

export function createBudget({ clock, ...limits }: BudgetSettings): Budget {
  const { maxRequestsPerSecond: perSecond, maxRequestsInFlight: atATime } = limits;
  const gates = new Map<string, Gate>();

  function gateOf(service: string): Gate {
    const gate = gates.get(service);
    if (gate !== undefined) return gate;
    const made = { underWay: 0, nextAt: 0, waiting: new Set<() => void>() };
    const counts = { asked: 0, requests: 0, ended: 0, abandoned: 0, waits: 0, waitMilliseconds: 0 };
    const opened: Gate = { ...made, ...counts };
    gates.set(service, opened);
    return opened;
  }

  /** Resolves with a place when the request may begin. */
  async function admission(gate: Gate, signal: AbortSignal): Promise<void> {
    const since = clock.monotonic();
    let waited = gate.underWay >= atATime;
    gate.asked += 1;
    try {
      await turn(gate, atATime, signal);
      const pause = pauseBefore(gate);
      waited ||= pause > 0;
      try {
        if (pause > 0) await clock.sleep(pause, signal);
        signal.throwIfAborted();
      } catch (error) {
        leave(gate);
        throw error;
      }
      gate.requests += 1;
    } catch (error) {
      gate.abandoned += 1;
      throw error;
    } finally {
      if (waited) {
        gate.waits += 1;
        gate.waitMilliseconds += clock.monotonic() - since;
      }
    }
  }

  /** Milliseconds until the next request may begin, which is then this one. */
  function pauseBefore(gate: Gate): number {
    if (perSecond === 0) return 0;
    const now = clock.monotonic();
    const at = Math.max(now, gate.nextAt);
    gate.nextAt = at + 1000 / perSecond;
    return at - now;
  }

  return {
    async spend(service, signal, request) {
      const gate = gateOf(service);
      await admission(gate, signal);
      try {
        return await request();
      } finally {
        gate.ended += 1;
        leave(gate);
      }
    },
    use: () =>
      Array.from(gates, ([service, { asked, requests, ended, abandoned, waits, waitMilliseconds }]) => ({
        service,
        requests,
        inFlight: requests - ended,
        waiting: asked - requests - abandoned,
        waits,
        waitSeconds: waitMilliseconds / 1000,
        inFlightLimit: atATime,
        perSecondLimit: perSecond,
      })),
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
