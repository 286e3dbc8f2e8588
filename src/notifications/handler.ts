/** From a delivery to a verdict: decode, convert, publish. */
import { describeError } from '../errors.ts';
import type { Delivery, DeliveryHandler, Verdict } from '../messaging/listener.ts';
import {
  type DecodedMessage,
  decodeMessage,
  polledSamplesOf,
  UndecodableMessage,
} from '../messaging/notification-message.ts';
import type { Event, Notification } from '../notification.ts';
import { type DeliveryLimits, deliver } from '../pipeline/deliver.ts';
import type { Publication } from '../pipeline/pipeline.ts';
import type { Logger } from '../plugin.ts';
import { createDropLog } from '../util/drop-log.ts';
import type { Assembly } from './assembly.ts';

export interface HandlerParts {
  readonly log: Logger;
  /** Aborts when work has to be broken off. */
  readonly kill: AbortSignal;
}

/** What a notification is handled with; replaced as a whole on a reload. */
export interface HandlerGeneration {
  readonly assembly: Assembly;
  readonly limits: DeliveryLimits;
}

export interface NotificationHandler {
  readonly handle: DeliveryHandler;
  /** Later messages use this one. Resolves when no message uses the one before any more. */
  replace(next: HandlerGeneration): Promise<void>;
}

const DONE: Verdict = { kind: 'done' };
const ABANDONED: Verdict = { kind: 'abandoned' };

/** Sendings that are remembered, to drop what the sender repeats because it missed the broker's answer. */
const REMEMBERED = 1024;

interface Running extends HandlerGeneration {
  users: number;
  idle: (() => void) | undefined;
}

export function createHandler(first: HandlerGeneration, { log, kill }: HandlerParts): NotificationHandler {
  let current: Running = { ...first, users: 0, idle: undefined };
  const recent = createRecent(REMEMBERED);
  const unknown = createDropLog(log, 'a notification of an unknown priority is left out');

  async function handle(delivery: Delivery): Promise<Verdict> {
    const generation = current;
    generation.users += 1;
    try {
      return await verdictOn(delivery, generation);
    } catch (error) {
      if (kill.aborted) return ABANDONED;
      return { kind: 'dead', reason: describeError(error) };
    } finally {
      generation.users -= 1;
      if (generation.users === 0) generation.idle?.();
    }
  }

  async function verdictOn(delivery: Delivery, generation: Running): Promise<Verdict> {
    const message = decode(delivery);
    const { notification, uniqueId } = message;
    if (uniqueId !== undefined && recent.has(uniqueId)) return DONE;
    if (notification === undefined) {
      if (!message.known) unknown.note(message.priority, { priority: message.priority });
      return DONE;
    }
    const polled = polledSamplesOf(notification);
    let reasons: readonly string[];
    try {
      reasons = await publishAll(notification, generation, () => polled?.letGo());
    } finally {
      polled?.end();
    }
    if (kill.aborted && reasons.length > 0) return ABANDONED;
    if (reasons.length > 0) return { kind: 'dead', reason: `${notification.eventType}: ${reasons.join('; ')}` };
    if (uniqueId !== undefined) recent.add(uniqueId);
    return DONE;
  }

  /**
   * Why the notification fails; empty when all of it is published. `read` is called where all is read that is needed.
   */
  async function publishAll(
    notification: Notification,
    { assembly, limits }: Running,
    read: () => void,
  ): Promise<readonly string[]> {
    const { samples, event, failure } = assembly.processor.process(notification);
    const reasons: string[] = [];
    const publications: Publication[] = [];
    for (const batch of samples) {
      try {
        publications.push(...(assembly.samples?.route(batch) ?? []));
      } catch (error) {
        // Upstream publishes neither the samples of the endpoint nor anything after it.
        reasons.push(describeError(error));
        return [...reasons, ...(await deliverAll(publications, limits))];
      }
    }
    if (failure !== undefined) reasons.push(`${failure.in}: ${describeError(failure.error)}`);
    if (event !== undefined) publications.push(...eventPublications(event, assembly));
    const delivered = deliverAll(publications, limits);
    if (publications.every(({ publisher }) => publisher.publisher.readsAtOnce)) read();
    return [...reasons, ...(await delivered)];
  }

  async function deliverAll(publications: readonly Publication[], limits: DeliveryLimits): Promise<readonly string[]> {
    const [only, ...others] = publications;
    if (only === undefined) return [];
    const results = await Promise.allSettled(
      others.length === 0
        ? [deliver(only, kill, limits)]
        : publications.map((publication) => deliver(publication, kill, limits)),
    );
    return results.flatMap((result) => (result.status === 'rejected' ? [describeError(result.reason)] : []));
  }

  return {
    handle,
    async replace(next) {
      const previous = current;
      current = { ...next, users: 0, idle: undefined };
      if (previous.users === 0) return;
      await new Promise<void>((resolve) => {
        previous.idle = resolve;
      });
    },
  };
}

function decode({ body, contentType, contentEncoding, headers }: Delivery): DecodedMessage {
  try {
    return decodeMessage(body, { contentType, contentEncoding, headers });
  } catch (error) {
    if (error instanceof UndecodableMessage) throw error;
    throw new UndecodableMessage('the message cannot be read', { cause: error });
  }
}

function eventPublications(event: Event, { events }: Assembly): readonly Publication[] {
  return events?.route(event) ?? [];
}

interface Recent {
  has(id: string): boolean;
  add(id: string): void;
}

function createRecent(size: number): Recent {
  const ids = new Set<string>();
  return {
    has: (id) => ids.has(id),
    add(id) {
      ids.add(id);
      const [oldest] = ids;
      if (ids.size > size && oldest !== undefined) ids.delete(oldest);
    },
  };
}
