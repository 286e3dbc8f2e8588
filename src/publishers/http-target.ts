/** Where a publisher's URL points to over HTTP, with upstream's options for it. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { ConfigError, codeOf, DeliveryError } from '../errors.ts';
import type { UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, PublisherUrl } from '../plugin.ts';

export interface HttpTarget {
  /**
   * Settles when the receiver has taken the body; `below` is a path under that of the URL. Rejects with
   * {@link DeliveryError}.
   */
  post(body: string, signal: AbortSignal, below?: string): Promise<void>;
  close(): Promise<void>;
}

interface Parts {
  readonly origin: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Agent;
  readonly retries: number;
}

/**
 * Options: `timeout`, `max_retries`, `verify_ssl`, `clientcert`, `clientkey`, and `ssl` where the scheme says nothing
 * of TLS. Ask for the publisher's own ones before: all that was not asked for goes to the receiver. Throws {@link
 * ConfigError}.
 */
export function openHttpTarget(
  url: PublisherUrl,
  options: UrlOptions,
  { config }: Host,
  contentType = 'application/json',
): HttpTarget {
  const timeout = options.integer('timeout', 5, 1) * 1000;
  const retries = options.integer('max_retries', 2);
  const connect = tlsOptions(url, options);
  const { host, credentials } = splitAuthority(url);
  const parts: Parts = {
    origin: `${schemeOf(url, options)}://${host}`,
    path: url.path || '/',
    query: remainingQuery(url, options),
    headers: {
      'user-agent': 'ceilometer-ts',
      accept: '*/*',
      'content-type': contentType,
      ...(credentials === undefined ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
    },
    dispatcher: new Agent({
      connections: config.default.maxParallelRequests,
      pipelining: 1,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      connect: { ...connect, timeout },
    }),
    retries,
  };
  return {
    post: (body, signal, below = '') => post(parts, below, body, signal),
    close: () => parts.dispatcher.close(),
  };
}

function schemeOf({ scheme }: PublisherUrl, options: UrlOptions): string {
  if (scheme === 'http' || scheme === 'https') return scheme;
  return options.boolean('ssl', false) ? 'https' : 'http';
}

/** `user:password@` is taken literally: upstream does not decode it. Throws {@link ConfigError}. */
function splitAuthority({ authority, shown }: PublisherUrl): { host: string; credentials: string | undefined } {
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  if (!/^(?:\[[^\]]+\]|[^:[\]]+)(?::\d{1,5})?$/.test(host))
    throw new ConfigError(`${shown}: expected HOST or HOST:PORT after ://`);
  const credentials = at < 0 ? undefined : authority.slice(0, at);
  if (credentials !== undefined && !credentials.includes(':')) {
    throw new ConfigError(`${shown}: expected USER:PASSWORD before @`);
  }
  return { host, credentials };
}

/** What is no option of ours belongs to the receiver: values joined by name, empty ones left out, as upstream. */
function remainingQuery({ options }: PublisherUrl, known: UrlOptions): string {
  const rest = options.filter(([name, value]) => !known.asked(name) && value !== '');
  const query = new URLSearchParams();
  for (const name of new Set(rest.map(([key]) => key))) {
    for (const [key, value] of rest) if (key === name) query.append(name, value);
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

interface TlsOptions {
  readonly rejectUnauthorized?: boolean;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Throws {@link ConfigError} for a file that cannot be read. */
function tlsOptions(url: PublisherUrl, options: UrlOptions): TlsOptions {
  const verify = options.text('verify_ssl') ?? 'true';
  const cert = options.text('clientcert');
  const key = options.text('clientkey');
  const read = (name: string, path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new ConfigError(`${url.shown}: option ${name}: cannot read ${path}`, { cause: error });
    }
  };
  // Any other text than a boolean is the file with the authorities.
  const word = verify.trim().toLowerCase();
  const off = ['0', 'f', 'false', 'off', 'n', 'no'].includes(word);
  const on = ['1', 't', 'true', 'on', 'y', 'yes'].includes(word);
  return {
    ...(off ? { rejectUnauthorized: false } : on ? {} : { ca: read('verify_ssl', verify) }),
    ...(cert === undefined ? {} : { cert: read('clientcert', cert), key: read('clientkey', key ?? cert) }),
  };
}

/** Connections that fail are tried again at once, as upstream; all else is for whoever called. */
async function post(parts: Parts, below: string, body: string, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await postOnce(parts, below, body, signal);
    } catch (error) {
      if (signal.aborted || attempt >= parts.retries || !isConnectionFailure(error)) throw error;
    }
  }
}

async function postOnce(parts: Parts, below: string, body: string, signal: AbortSignal): Promise<void> {
  const { origin, path, query, headers, dispatcher } = parts;
  const url = `${origin}${path}${below}${query}`;
  let status: number;
  try {
    const response = await request(url, { method: 'POST', headers, body, dispatcher, signal });
    status = response.statusCode;
    await response.body.dump();
  } catch (error) {
    throw new DeliveryError(`POST to ${new URL(url).host} failed`, { cause: error, retryable: true });
  }
  if (status < 400) return;
  // The receiver understood and refused; only some of its reasons may pass.
  const retryable = status >= 500 || status === 408 || status === 425 || status === 429;
  throw new DeliveryError(`${new URL(url).host} answered with status ${status}`, { retryable });
}

const connectionFailures = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_SOCKET']);

function isConnectionFailure(error: unknown): boolean {
  const cause = error instanceof DeliveryError ? error.cause : error;
  return connectionFailures.has(codeOf(cause) ?? '');
}
