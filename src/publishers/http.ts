/** `http://` and `https://`: samples and events in JSON, a list of them or each on its own. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { ConfigError, codeOf, DeliveryError } from '../errors.ts';
import type { Event } from '../notification.ts';
import { UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, Publisher, PublisherUrl } from '../plugin.ts';
import { getKey, isTrue } from '../python/value.ts';
import { stringifyJson } from '../wire/json.ts';
import { eventMessage, sampleJson } from './records.ts';

interface HttpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Agent;
  readonly timeout: number;
  readonly retries: number;
}

export function httpPublisher(url: PublisherUrl, { config }: Host): Publisher {
  const options = new UrlOptions(url);
  const timeout = options.integer('timeout', 5, 1) * 1000;
  const retries = options.integer('max_retries', 2);
  const batched = options.boolean('batch', true);
  const rawOnly = options.boolean('raw_only', false);
  const connect = tlsOptions(url, options);
  const { host, credentials } = splitAuthority(url);
  const target: HttpTarget = {
    url: `${url.scheme}://${host}${url.path || '/'}${remainingQuery(url, options)}`,
    headers: {
      'user-agent': 'ceilometer-ts',
      accept: '*/*',
      'content-type': 'application/json',
      ...(credentials === undefined ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
    },
    dispatcher: new Agent({
      connections: config.default.maxParallelRequests,
      pipelining: 1,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      connect: { ...connect, timeout },
    }),
    timeout,
    retries,
  };

  async function send(records: readonly string[], signal: AbortSignal): Promise<void> {
    if (records.length === 0) return;
    if (batched) await post(target, `[${records.join(', ')}]`, signal);
    else for (const record of records) await post(target, record, signal);
  }

  return {
    publishSamples: (batch, signal) => send(batch.map(sampleJson), signal),
    publishEvents: (batch, signal) => send(batch.flatMap(rawOnly ? rawPayload : eventJson), signal),
    close: () => target.dispatcher.close(),
  };
}

function eventJson(event: Event): readonly string[] {
  return [stringifyJson(eventMessage(event))];
}

function rawPayload({ raw }: Event): readonly string[] {
  const payload = getKey(raw, 'payload');
  return isTrue(payload) ? [stringifyJson(payload)] : [];
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
async function post(target: HttpTarget, body: string, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await postOnce(target, body, signal);
    } catch (error) {
      if (signal.aborted || attempt >= target.retries || !isConnectionFailure(error)) throw error;
    }
  }
}

async function postOnce({ url, headers, dispatcher }: HttpTarget, body: string, signal: AbortSignal): Promise<void> {
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
