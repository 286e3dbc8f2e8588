/** A connection's room for calls, which libvirtd limits and which calls that hang use up. */
import type { LibvirtClient } from './client.ts';

/** Requests that libvirtd works on for one client by default (`max_client_requests`); it reads no more meanwhile. */
export const REQUESTS_MAX = 5;

/**
 * Calls that may hang in domains before no more are made that could. Each holds one of the 20 threads that libvirtd
 * has by default (`max_workers`), and others need it too.
 */
export const HUNG_MAX = 10;
/** The same for a domain that is asked whether it is back. */
export const HUNG_PROBING_MAX = HUNG_MAX + 2;
/** The same for calls in bulk. */
export const HUNG_BULK_MAX = HUNG_MAX + 4;

/** True when so many calls hang that the connection should be left to them. */
export function isExhausted(client: LibvirtClient): boolean {
  return client.abandoned >= REQUESTS_MAX - 1;
}
