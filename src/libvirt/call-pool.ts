/** Connections for calls that may hang in libvirt, kept apart from the one that brings the events. */
import { untilAborted } from '../util/scope.ts';
import type { LibvirtClient } from './client.ts';
import { ConnectionError, UnreachableError } from './errors.ts';
import type { Procedure } from './procedures.ts';
import { REQUESTS_MAX } from './request-slots.ts';
import { openSession, type Session, serverName } from './session.ts';
import type { VirtUri } from './uri.ts';

export interface CallPoolOptions {
  readonly uri: VirtUri;
  /** Milliseconds for connecting. */
  readonly timeout: number;
  /** Aborts when the pool's owner ends. */
  readonly signal: AbortSignal;
}

export interface PatientCallOptions {
  /** Milliseconds after which the call is given up. */
  readonly timeout: number;
  /** Milliseconds after which nobody should wait behind it any more. */
  readonly patience: number;
  /** Milliseconds after which something should be done about it. */
  readonly late: number;
  readonly signal: AbortSignal;
  /** Called once when a call that was given up ends after all: it was answered, or its connection is gone. */
  readonly onLate?: (answered: boolean) => void;
}

export interface PatientCall<R> {
  /** Rejects with a `NoAnswerError` at the timeout. */
  readonly answer: Promise<R>;
  /** True as soon as the call has been answered or has failed, false when patience is over before. */
  readonly patience: Promise<boolean>;
  /** The same for when it is late. */
  readonly inTime: Promise<boolean>;
}

/**
 * A call without an answer holds one of the few requests that libvirtd lets a client have, and the thread of libvirtd
 * that waits for the domain, whatever becomes of the connection. So a connection with such a call gets no new ones; it
 * stays open, because the answer tells when the domain is back, and is closed after the last of them. Its owner bounds
 * the number of calls that hang, and with it that of these connections.
 */
export class CallPool {
  readonly #options: CallPoolOptions;
  readonly #sessions = new Set<Session>();
  #opening: Promise<Session> | undefined;
  /** Calls that nobody should wait behind, but that are not given up yet. */
  #overdue = 0;

  constructor(options: CallPoolOptions) {
    this.#options = options;
  }

  /** Calls that libvirt does not answer, as far as one can tell yet. */
  get hung(): number {
    let hung = this.#overdue;
    for (const { client } of this.#sessions) hung += client.abandoned;
    return hung;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  call<A, R>(procedure: Procedure<A, R>, args: A, options: PatientCallOptions): PatientCall<R> {
    const answer = this.#call(procedure, args, options);
    let overdue = false;
    const patience = settlesWithin(answer, options.patience, () => {
      overdue = true;
      this.#overdue++;
    });
    const settled = () => {
      if (overdue) this.#overdue--;
    };
    answer.then(settled, settled);
    return { answer, patience, inTime: settlesWithin(answer, options.late) };
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    const sessions = [...this.#sessions];
    const hung = sessions.filter(({ client }) => client.unanswered > 0);
    for (const { client } of hung) client.destroy(new ConnectionError(`${this.#name} was closed`));
    await Promise.all(sessions.map(({ client }) => client.close()));
  }

  get #name(): string {
    return `the connection to ${serverName(this.#options.uri)}`;
  }

  async #call<A, R>(procedure: Procedure<A, R>, args: A, options: PatientCallOptions): Promise<R> {
    const { timeout, signal, onLate } = options;
    for (;;) {
      signal.throwIfAborted();
      const [client] = this.#usable();
      if (client !== undefined) {
        const answer = client.call(procedure, args, {
          timeout,
          signal,
          onLate: (answered) => {
            if (client.unanswered === 0 && !client.closed) void client.close();
            onLate?.(answered);
          },
        });
        answer.then(
          () => this.#closeSpare(),
          () => this.#closeSpare(),
        );
        return answer;
      }
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined;
      });
      await untilAborted(this.#opening, signal);
    }
  }

  /** Connections on which nothing hangs, with room for one more call. */
  #usable(): readonly LibvirtClient[] {
    return [...this.#sessions]
      .map(({ client }) => client)
      .filter((client) => !client.closed && client.abandoned === 0 && client.unanswered < REQUESTS_MAX);
  }

  /** Of those that were opened because calls seemed to hang, one is enough when they have been answered after all. */
  #closeSpare(): void {
    for (const client of this.#usable().slice(1)) if (client.unanswered === 0) void client.close();
  }

  async #open(): Promise<Session> {
    const { uri, timeout, signal } = this.#options;
    let session: Session;
    try {
      session = await openSession(uri, {
        timeout,
        signal,
        onClose: () => this.#sessions.delete(session),
      });
    } catch (cause) {
      throw new UnreachableError(`cannot open another connection to ${serverName(uri)}`, { cause });
    }
    this.#sessions.add(session);
    return session;
  }
}

/** True as soon as the promise is settled, false when it is not after the time. */
function settlesWithin(promise: Promise<unknown>, milliseconds: number, otherwise?: () => void): Promise<boolean> {
  return new Promise((resolve) => {
    let settled = false;
    const over = () => {
      if (settled) return;
      otherwise?.();
      resolve(false);
    };
    // As for the client: of an answer that waits to be read while this process was busy, the answer counts.
    const timer = setTimeout(() => setImmediate(over), milliseconds);
    const inTime = () => {
      settled = true;
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(inTime, inTime);
  });
}
