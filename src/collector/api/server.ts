/** The read API over HTTP, and files beside it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { ConfigError, codeOf, describeError } from '../../errors.ts';
import type { Logger } from '../../plugin.ts';
import { stringifyJson } from '../../wire/json.ts';
import type { JsonValue } from '../../wire/value.ts';
import { RequestError, type Routes } from './routes.ts';

export interface ApiOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Empty asks for none, which is refused where others can reach the address. */
  readonly token: string;
}

/** A file that is served without a token: it holds no samples. */
export interface Asset {
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiParts {
  readonly routes: Routes;
  /** By path, `/` and so on. */
  readonly assets?: ReadonlyMap<string, Asset>;
  readonly log: Logger;
}

export interface Api {
  readonly url: string;
  /** The only one that is taken from now on; empty asks for none. */
  setToken(token: string): void;
  close(): Promise<void>;
}

/** Throws `ConfigError` where the address is open to others and there is no token, or cannot be listened on. */
export async function startApi(options: ApiOptions, parts: ApiParts): Promise<Api> {
  const { host, port } = options;
  let { token } = options;
  checkApiOptions(options);
  const server = createServer((request, response) => {
    void answer(request, response, parts, token);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    const reason = codeOf(error) === 'EADDRINUSE' ? 'is in use' : `cannot be listened on: ${describeError(error)}`;
    throw new ConfigError(`[collector] api_host, api_port: ${host}:${port} ${reason}`, { cause: error });
  }
  return {
    url: urlOf(server, host),
    setToken(next) {
      token = next;
    },
    close: () => closed(server),
  };
}

/** Throws `ConfigError`: samples tell much about those they are of. */
export function checkApiOptions({ host, token }: ApiOptions): void {
  if (isLoopback(host) || token !== '') return;
  throw new ConfigError(
    `[collector] api_host: ${host} can be reached by others: set api_token, or listen on 127.0.0.1`,
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function urlOf(server: Server, host: string): string {
  const address = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // What still is being answered has had its time.
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, assets, log }: ApiParts,
  token: string,
): Promise<void> {
  try {
    const { pathname, searchParams } = requestUrl(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new RequestError(405, 'only GET is answered');
    const asset = assets?.get(pathname);
    if (asset !== undefined) {
      send(response, 200, asset.type, asset.body, asset.headers);
      return;
    }
    authorize(request, token);
    sendJson(response, 200, await routes(pathname, searchParams));
  } catch (error) {
    if (error instanceof RequestError) {
      if (error.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
      if (error.status === 405) response.setHeader('Allow', 'GET, HEAD');
      sendJson(response, error.status, { error: error.message });
    } else if (codeOf(error) === 'ERR_SERVICE') {
      log.warn({ reason: describeError(error) }, 'the store does not answer a request');
      sendJson(response, 503, { error: 'the store does not answer' });
    } else {
      log.error({ err: error }, 'a request failed');
      sendJson(response, 500, { error: 'this is a bug, see the log of the collector' });
    }
  }
}

function requestUrl(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://collector');
  } catch {
    throw new RequestError(400, 'the URL is malformed');
  }
}

function authorize(request: IncomingMessage, token: string): void {
  if (token === '') {
    // A page from elsewhere could have its own name point to this address, and read the answers.
    const host = (request.headers.host ?? '').replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) === 0 && host !== 'localhost') throw new RequestError(403, `the host ${host} is not this one`);
    return;
  }
  const given = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  // Node reads the bytes of a header as Latin-1.
  if (!timingSafeEqual(digest(Buffer.from(given, 'latin1')), digest(Buffer.from(token, 'utf8'))))
    throw new RequestError(401, given === '' ? 'a bearer token is needed' : 'the bearer token is wrong');
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function sendJson(response: ServerResponse, status: number, value: JsonValue): void {
  send(response, status, 'application/json', `${stringifyJson(value)}\n`);
}

/** Nothing of it is kept by caches or taken for something else by browsers. */
function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': bytes.byteLength,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}
