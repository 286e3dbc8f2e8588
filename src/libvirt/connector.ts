import { setMaxListeners } from 'node:events';
import { codeOf, describeError, markLogged } from '../errors.ts';
import type { Logger } from '../plugin.ts';
import { untilAborted } from '../util/scope.ts';
import { ConnectionError } from './errors.ts';
import type { LifecycleEvent } from './events.ts';
import { isExhausted } from './request-slots.ts';
import type { DomainRef } from './rpc.ts';
import { openSession, type Session, serverName } from './session.ts';
import type { VirtUri } from './uri.ts';

export interface ConnectorOptions {
  readonly uri: VirtUri;
  readonly timeout: number;
  readonly log: Logger;
  onDomainChanged(domain: DomainRef): void;
  onLifecycle?(event: LifecycleEvent, session: Session): void;
}

export type ConnectionStatus =
  | { readonly state: 'idle' | 'closed'; readonly uri: string }
  | { readonly state: 'connected'; readonly uri: string; readonly version: string }
  | { readonly state: 'down'; readonly uri: string; readonly error: unknown };

/** Milliseconds for which a failed connect stands for everybody who asks; far less than the time between polls. */
const FAILURE_KEPT = 1_000;

/**
 * Keeps one connection to libvirt, made when it is asked for. All who wait share one attempt; one log line tells of
 * each change between connected, lost and not there, and nobody else does.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #lifetime = new AbortController();
  #session: Session | undefined;
  #connecting: Promise<Session> | undefined;
  #failure: { readonly error: unknown; readonly until: number } | undefined;
  #status: ConnectionStatus;
  #connections = 0;
  #closing: Promise<void> | undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    setMaxListeners(0, this.#lifetime.signal);
    this.#status = { state: 'idle', uri: options.uri.text };
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** How many connections were made so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Aborts when the connector is closed. */
  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }

  /** The open connection, made now if there is none. */
  async session(signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    this.#lifetime.signal.throwIfAborted();
    const session = this.#session;
    if (session !== undefined && !this.#exhausted(session)) return session;
    if (this.#failure !== undefined && performance.now() < this.#failure.until) throw this.#failure.error;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return untilAborted(this.#connecting, signal);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { uri } = this.#options;
    this.#lifetime.abort(new ConnectionError(`the connection to ${serverName(uri)} was closed`));
    const session = this.#session;
    this.#session = undefined;
    this.#status = { state: 'closed', uri: uri.text };
    await this.#connecting?.catch(() => undefined);
    await session?.client.close();
  }

  /** Too many calls hang in libvirt for this connection to be of use: it is left to them. */
  #exhausted(session: Session): boolean {
    if (!isExhausted(session.client)) return false;
    const { uri, log } = this.#options;
    const calls = session.client.abandoned;
    this.#session = undefined;
    log.warn({ uri: uri.text, calls }, 'leaving a libvirt connection to the calls that hang on it');
    session.client.destroy(new ConnectionError(`${calls} calls hang on the connection to ${serverName(uri)}`));
    return true;
  }

  async #connect(): Promise<Session> {
    const { uri, timeout, log } = this.#options;
    let session: Session;
    try {
      session = await openSession(uri, {
        timeout,
        signal: this.#lifetime.signal,
        onDomainChanged: (domain) => this.#options.onDomainChanged(domain),
        onLifecycle: (event) => this.#options.onLifecycle?.(event, session),
        onClose: (error) => this.#lost(session, error),
      });
    } catch (cause) {
      const error = serviceError(uri, cause);
      this.#failure = { error, until: performance.now() + FAILURE_KEPT };
      if (!this.#lifetime.signal.aborted) this.#notThere(error);
      throw error;
    }
    if (this.#lifetime.signal.aborted) {
      await session.client.close();
      throw this.#lifetime.signal.reason;
    }
    this.#failure = undefined;
    this.#session = session;
    this.#connections++;
    this.#status = { state: 'connected', uri: uri.text, version: session.version };
    log.info({ uri: uri.text, version: session.version, events: session.events }, 'connected to libvirt');
    return session;
  }

  #lost(session: Session, error: ConnectionError): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    const { log, uri } = this.#options;
    log.warn({ uri: uri.text, err: error }, 'lost the connection to libvirt');
    this.#down(error);
  }

  /** The first attempt tells why, and later ones only what is new. */
  #notThere(error: Error): void {
    const { log, uri } = this.#options;
    const known = this.#status.state === 'down' ? describeError(this.#status.error) : undefined;
    if (describeError(error) !== known) {
      log.error({ uri: uri.text, err: error }, 'libvirt is not there, trying again with each poll');
    }
    this.#down(error);
  }

  /** Everybody who asks gets this error, and need not tell of it again. */
  #down(error: Error): void {
    markLogged(error);
    this.#status = { state: 'down', uri: this.#options.uri.text, error };
  }
}

/** What a caller gets is always a fault of the service, also when a deadline of ours ended the attempt. */
function serviceError(uri: VirtUri, cause: unknown): Error {
  if (cause instanceof Error && codeOf(cause) === 'ERR_SERVICE') return cause;
  return new ConnectionError(`cannot connect to ${serverName(uri)}`, { cause });
}
