import { describeError } from '../../../errors.ts';
import type { Logger } from '../../../plugin.ts';

/** Whether a service answers; tells the log when that changes. */
export interface Presence {
  readonly away: boolean;
  lost(error: unknown): void;
  found(): void;
}

export function createPresence(log: Logger, service: string, meanwhile: string): Presence {
  let away = false;
  return {
    get away() {
      return away;
    },
    lost(error) {
      if (!away) log.warn({ service, reason: describeError(error), meanwhile }, 'service does not answer');
      away = true;
    },
    found() {
      if (away) log.info({ service }, 'service answers again');
      away = false;
    },
  };
}
