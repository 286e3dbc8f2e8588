/** Asks again where that helps and does no harm. */
import type { Clock } from '../util/clock.ts';
import { ConnectionError } from './errors.ts';
import type { HttpResponse } from './http.ts';

const ATTEMPTS = 4;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8000;
/** A service that wants to be left alone for longer is asked again in a later cycle. */
const LONGEST_RETRY_AFTER = 60_000;

const PASSING = new Set([429, 502, 503, 504]);

export interface RetrySettings {
  readonly clock: Clock;
  /** Between 0 and 1: spreads the agents of a fleet. */
  readonly random: () => number;
}

/** For requests that may be made twice. The last answer is handed on, whatever its status. */
export async function withRetries(
  send: () => Promise<HttpResponse>,
  signal: AbortSignal,
  { clock, random }: RetrySettings,
): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt >= ATTEMPTS;
    let wait = random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
    try {
      const response = await send();
      if (last || !PASSING.has(response.status)) return response;
      const asked = retryAfter(response.headers['retry-after'], clock.now());
      if (asked > LONGEST_RETRY_AFTER) return response;
      wait += asked;
    } catch (error) {
      if (last || !(error instanceof ConnectionError)) throw error;
    }
    await clock.sleep(wait, signal);
    signal.throwIfAborted();
  }
}

/** Milliseconds that a service asks to wait, in seconds or as a date; 0 when it does not say. */
function retryAfter(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
