/** One pool of connections to services, with a deadline and a size limit for each answer. */
import type { Agent } from 'undici';
import { ServiceError } from '../errors.ts';
import { scope } from '../util/scope.ts';
import { ConnectionError } from './errors.ts';
import { secureContext, type TlsSettings } from './tls.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface HttpRequest {
  /** What is asked of whom, for messages: no query, no secrets. */
  readonly what: string;
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** The first of each, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Http {
  /**
   * One attempt. Resolves whatever the status. Rejects with {@link ConnectionError} when no whole answer came, with
   * `ERR_DEADLINE` when it took too long, with `ERR_SERVICE` when it is too large, with the signal's reason.
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

export interface HttpSettings extends TlsSettings {
  /** Milliseconds that a request has, its answer included. */
  readonly timeout: number;
}

const CONNECT_TIMEOUT = 10_000;
const CONNECTIONS_PER_SERVICE = 16;
const MAX_BYTES = 64 * 1024 * 1024;

/** Opens nothing before the first request. */
export function createHttp(settings: HttpSettings): Http {
  let agent: Agent | undefined;
  let closed = false;

  async function open(): Promise<Agent> {
    // Most agents never ask a service, and do without the memory that this takes.
    const undici = await import('undici');
    if (closed) throw new ServiceError('the session is closed');
    agent ??= new undici.Agent({
      connections: CONNECTIONS_PER_SERVICE,
      connect: {
        timeout: CONNECT_TIMEOUT,
        secureContext: secureContext(settings),
        rejectUnauthorized: !settings.insecure,
      },
      // The scope of a request is its deadline.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return agent;
  }

  async function send(request: HttpRequest): Promise<HttpResponse> {
    const { what, method, url, body, maxBytes = MAX_BYTES } = request;
    const dispatcher = await open();
    using limit = scope(request.signal, settings.timeout, what);
    const { signal } = limit;
    signal.throwIfAborted();
    try {
      const answer = await dispatcher.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { ...request.headers },
        body: body ?? null,
        // After a HEAD it would close the connection: one for each account of Swift, in each cycle.
        reset: false,
        signal,
      });
      const headers = firstOfEach(answer.headers);
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer.body) {
        size += chunk.length;
        if (size > maxBytes) throw new ServiceError(`${what}: the answer is larger than ${maxBytes} bytes`);
        chunks.push(chunk);
      }
      return { status: answer.statusCode, headers, text: Buffer.concat(chunks).toString('utf8') };
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof ServiceError) throw cause;
      throw new ConnectionError(`${what}: no answer from ${url.host}`, { cause });
    }
  }

  return {
    send,
    async close() {
      closed = true;
      const old = agent;
      agent = undefined;
      await old?.destroy();
    },
  };
}

function firstOfEach(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const first: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    const one = typeof value === 'string' ? value : value?.[0];
    if (one !== undefined) first[name.toLowerCase()] = one;
  }
  return first;
}
