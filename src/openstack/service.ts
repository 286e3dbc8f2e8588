/** Requests to one service of the catalogue, made with the token of the session. */
import { ServiceError } from '../errors.ts';
import { stringifyJson } from '../wire/json.ts';
import { parseExactJson, parseJson } from '../wire/json-parser.ts';
import { isObject, type JsonObject, type JsonValue } from '../wire/value.ts';
import { ApiError, ConnectionError } from './errors.ts';
import type { HttpRequest, HttpResponse, Method } from './http.ts';
import { readPages } from './pages.ts';
import { redact } from './redact.ts';
import type { Access, Tokens } from './tokens.ts';

type QueryValue = string | number | boolean;

export interface RequestOptions {
  readonly signal: AbortSignal;
  /** A value that is a list repeats the name. */
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>>;
  /** `Accept` and the token are there already. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A text is sent as it is. */
  readonly body?: JsonObject | string;
  /** Largest answer; 64 MiB when left out. */
  readonly maxBytes?: number;
}

export interface OpenStackService {
  /**
   * Resolves to an answer of success. A path is taken from the endpoint on; a URL of the endpoint's host as it is. GET
   * and HEAD are repeated where that helps. Rejects with {@link ApiError} for another status.
   */
  request(method: Method, path: string, options: RequestOptions): Promise<HttpResponse>;
  /** The JSON of a GET, with integers of any size exact. */
  get(path: string, options: RequestOptions): Promise<JsonObject>;
  /**
   * The items of a list, page by page as the service cuts it: what is next is asked for when it is wanted. `collection`
   * is the name of the list in the answer.
   */
  pages(path: string, collection: string, options: RequestOptions): AsyncGenerator<readonly JsonObject[]>;
  /** The URL that paths are taken from. Rejects with {@link NoEndpointError} when the catalogue has none. */
  endpoint(signal: AbortSignal): Promise<string>;
}

export interface ServiceParts {
  /** For messages. */
  readonly name: string;
  readonly tokens: Tokens;
  readonly endpointOf: (access: Access) => string;
  /** Looks the endpoint up, where need be in a catalogue that is fetched anew. */
  readonly access: (signal: AbortSignal) => Promise<Access>;
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** Sends a request, again where that helps. */
  readonly send: (request: HttpRequest) => Promise<HttpResponse>;
}

const MOST_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function createService(parts: ServiceParts): OpenStackService {
  const { name, tokens, endpointOf, secrets } = parts;

  async function request(method: Method, path: string, options: RequestOptions): Promise<HttpResponse> {
    let access = await parts.access(options.signal);
    let response = await attempt(method, path, options, access);
    if (response.status === 401) {
      await tokens.renew(access, options.signal);
      access = await parts.access(options.signal);
      response = await attempt(method, path, options, access);
    }
    if (response.status >= 200 && response.status < 300) return response;
    throw refusal(describe(method, urlOf(path, options, endpointOf(access))), response, [
      ...secrets,
      ...(access.token === '' ? [] : [access.token]),
    ]);
  }

  async function attempt(method: Method, path: string, options: RequestOptions, access: Access): Promise<HttpResponse> {
    let url = urlOf(path, options, endpointOf(access));
    for (let redirects = 0; ; redirects += 1) {
      const response = await send(method, url, options, access);
      const { location } = response.headers;
      if (!REDIRECTS.has(response.status) || location === undefined) return response;
      const next = new URL(location, url);
      const what = describe(method, url);
      if (redirects >= MOST_REDIRECTS) throw new ServiceError(`${what} is redirected again and again`);
      if (!maySeeToken(next, url))
        throw new ServiceError(`${what} is redirected to ${next.origin}, which is another host`);
      url = next;
    }
  }

  async function send(method: Method, url: URL, options: RequestOptions, access: Access): Promise<HttpResponse> {
    const { body, maxBytes, signal } = options;
    try {
      return await parts.send({
        what: describe(method, url),
        method,
        url,
        headers: {
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...parts.headers,
          ...options.headers,
          ...access.headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : stringifyJson(body) }),
        ...(maxBytes !== undefined && { maxBytes }),
        signal,
      });
    } catch (error) {
      // The service may have moved.
      if (error instanceof ConnectionError) tokens.doubt(access);
      throw error;
    }
  }

  function describe(method: Method, url: URL): string {
    return `${name} ${method} ${url.pathname}`;
  }

  async function get(path: string, options: RequestOptions): Promise<JsonObject> {
    const { text } = await request('GET', path, options);
    const what = `${name} GET ${path.replace(/\?.*/, '')}`;
    let value: JsonValue;
    try {
      value = parseExactJson(text);
    } catch (cause) {
      throw new ServiceError(`${what}: the answer is no JSON`, { cause });
    }
    if (!isObject(value)) throw new ServiceError(`${what}: the answer is no JSON object`);
    return value;
  }

  return {
    request,
    get,
    pages: (path, collection, options) => readPages(get, path, collection, options),
    endpoint: async (signal) => endpointOf(await parts.access(signal)),
  };
}

function urlOf(path: string, { query = {} }: RequestOptions, endpoint: string): URL {
  const base = new URL(endpoint);
  const url = new URL(/^https?:\/\//.test(path) ? path : `${endpoint}/${path.replace(/^\/+/, '')}`);
  if (!maySeeToken(url, base)) throw new ServiceError(`${url.origin} is not where the service is, ${base.origin} is`);
  for (const [key, value] of Object.entries(query)) {
    url.searchParams.delete(key);
    for (const one of typeof value === 'object' ? value : [value]) url.searchParams.append(key, String(one));
  }
  return url;
}

/** Nobody else gets to see the token, nor the wire without TLS. */
function maySeeToken(url: URL, from: URL): boolean {
  return url.hostname === from.hostname && (url.protocol === from.protocol || url.protocol === 'https:');
}

/** With the first lines of what the service says about it. */
function refusal(what: string, response: HttpResponse, secrets: readonly string[]): ApiError {
  const { status, text } = response;
  const said = redact(messageOf(text), secrets).slice(0, 200);
  return new ApiError(`${what} answered ${status}${said === '' ? '' : `: ${said}`}`, status, { response });
}

/** Services wrap their message into objects of different names; a proxy's page is left out. */
function messageOf(text: string): string {
  if (!/^\s*\{/.test(text) || text.length > 100_000) return '';
  try {
    const answer = parseJson(text);
    if (!isObject(answer)) return '';
    for (const part of [answer, ...Object.values(answer)]) {
      const { message, faultstring } = isObject(part) ? part : {};
      for (const one of [message, faultstring]) if (typeof one === 'string') return one.replaceAll(/\s+/g, ' ').trim();
    }
  } catch {
    // What is no JSON has no message.
  }
  return '';
}
