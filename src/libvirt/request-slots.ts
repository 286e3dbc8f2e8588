/** A connection's room for calls, which libvirtd limits and which calls that hang use up. */
import type { LibvirtClient } from './client.ts';
import { libVersion } from './procedures.ts';

/** Requests that libvirtd works on for one client by default (`max_client_requests`); it reads no more meanwhile. */
const REQUESTS_MAX = 5;
/** Milliseconds for a call that waits for nothing but the daemon itself. */
const DAEMON_TIMEOUT = 2_000;

/** How many calls may be in flight now. */
export function freeSlots(client: LibvirtClient, parallel: number): number {
  return Math.min(parallel, REQUESTS_MAX - client.abandoned);
}

/** True when so many calls hang that the connection should be left to them. */
export function isExhausted(client: LibvirtClient): boolean {
  return client.abandoned >= REQUESTS_MAX - 1;
}

/**
 * After a call without an answer: throws its error if the daemon as a whole does not answer, so that a domain is not
 * blamed for it.
 */
export async function assertAlive(client: LibvirtClient, error: unknown, options: AliveOptions): Promise<void> {
  if (freeSlots(client, 1) < 1) throw error;
  await client.call(libVersion, undefined, { ...options, timeout: Math.min(options.timeout, DAEMON_TIMEOUT) });
}

interface AliveOptions {
  readonly timeout: number;
  readonly signal: AbortSignal;
}
