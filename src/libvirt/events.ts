/** Domain events: which ones mean that a domain's XML is no longer what was read before. */
import type { DomainRef, Message } from './rpc.ts';
import { readDomainRef } from './rpc.ts';
import { XdrReader } from './xdr.ts';

interface DomainEventKind {
  readonly name: string;
  /** The number to register for (virDomainEventID). */
  readonly id: number;
  /** The procedure of the messages about it. All of them start with the id of the callback and the domain. */
  readonly procedure: number;
}

/** Without these nothing tells that a domain came, went, started or stopped. */
export const LIFECYCLE: DomainEventKind = { name: 'lifecycle', id: 0, procedure: 318 };

/**
 * Events that change the XML of a domain that stays. Left out are those that change nothing in it (reboot, watchdog,
 * I/O errors, graphics, agent, a completed migration, which comes with lifecycle events) and the balloon's, which
 * come often and change a size that the statistics tell anyway.
 */
export const XML_EVENTS: readonly DomainEventKind[] = [
  { name: 'block-job', id: 8, procedure: 326 },
  { name: 'disk-change', id: 9, procedure: 327 },
  { name: 'tray-change', id: 10, procedure: 328 },
  { name: 'device-removed', id: 15, procedure: 333 },
  { name: 'tunable', id: 17, procedure: 346 },
  { name: 'device-added', id: 19, procedure: 354 },
  { name: 'metadata-change', id: 23, procedure: 379 },
  { name: 'nic-mac-change', id: 27, procedure: 453 },
];

/** The procedure of the message that the daemon lost its driver: the connection is of no use any more. */
export const DRIVER_CLOSED = 362;

const procedures: ReadonlySet<number> = new Set([LIFECYCLE, ...XML_EVENTS].map((kind) => kind.procedure));

/** What lifecycle events tell (virDomainEventType), as far as somebody acts on it. */
export const LIFECYCLE_EVENT = { STARTED: 2, SUSPENDED: 3, RESUMED: 4, STOPPED: 5, SHUTDOWN: 6 } as const;
/** The detail of STARTED and of RESUMED that says: by a migration to this host. */
export const BY_MIGRATION = 1;

export interface LifecycleEvent {
  readonly domain: DomainRef;
  readonly event: number;
  readonly detail: number;
}

/** Undefined for any other event. */
export function lifecycleEvent(message: Message): LifecycleEvent | undefined {
  if (message.procedure !== LIFECYCLE.procedure) return undefined;
  const reader = new XdrReader(message.payload);
  reader.int();
  return { domain: readDomainRef(reader), event: reader.int(), detail: reader.int() };
}

/** The domain that an event is about; undefined for an event that was not registered for. */
export function eventDomain(message: Message): DomainRef | undefined {
  if (!procedures.has(message.procedure)) return undefined;
  const reader = new XdrReader(message.payload);
  reader.int();
  return readDomainRef(reader);
}
