/** Requests to Gnocchi, with Keystone's tokens or with the credentials that Gnocchi knows by itself. */
import { readCredentials } from '../openstack/credentials.ts';
import { ApiError, ConnectionError } from '../openstack/errors.ts';
import type { HttpResponse, Method } from '../openstack/http.ts';
import { withRetries } from '../openstack/retry.ts';
import type { OpenStackService } from '../openstack/service.ts';
import { createSession } from '../openstack/session.ts';
import type { Host } from '../plugin.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { scope } from '../util/scope.ts';
import { parseJson } from '../wire/json-parser.ts';
import { isObject, type JsonValue } from '../wire/value.ts';

interface GnocchiRequest {
  readonly signal: AbortSignal;
  /** JSON. */
  readonly body?: string;
  /** `application/json` when left out. */
  readonly contentType?: string;
}

export interface GnocchiApi {
  /**
   * Resolves whatever the status. Asks again after no answer and after statuses that pass: all that is asked of Gnocchi
   * may be asked twice. Rejects with {@link ConnectionError} when none of the attempts was answered.
   */
  request(method: Method, path: string, options: GnocchiRequest): Promise<HttpResponse>;
  /** Keystone; undefined with credentials that it has no part in. */
  readonly identity: OpenStackService | undefined;
  close(): Promise<void>;
}

export interface GnocchiApiOptions {
  /** Milliseconds that each attempt has. */
  readonly timeout: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const DEFAULT_GROUP = 'service_credentials';

/** Does no I/O. Throws {@link ConfigError} when the credentials are incomplete. */
export function openGnocchi(
  { config, openstack }: Pick<Host, 'config' | 'openstack'>,
  { timeout, clock = systemClock, random = Math.random }: GnocchiApiOptions,
): GnocchiApi {
  const group = config.gnocchi.authSection;
  const own = group === DEFAULT_GROUP ? undefined : createSession(config, { credentials: group });
  const session = own ?? openstack();
  const service = session.service('metric', { serviceName: 'gnocchi' });
  const { kind } = readCredentials(config, group);

  async function attempt(method: Method, path: string, request: GnocchiRequest): Promise<HttpResponse> {
    const { body, contentType } = request;
    const what = `gnocchi ${method} ${path}`;
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    using limit = scope(request.signal, timeout, what);
    const { signal } = limit;
    try {
      return await service.request(method, path, { signal, headers, ...(body !== undefined && { body }) });
    } catch (error) {
      if (error instanceof ApiError && error.response !== undefined) return error.response;
      if (!signal.aborted || request.signal.aborted) throw error;
      throw new ConnectionError(`${what}: no answer within ${timeout / 1000} s`, { cause: error });
    }
  }

  return {
    request: (method, path, request) =>
      withRetries(() => attempt(method, path, request), request.signal, { clock, random }),
    identity: kind === 'keystone' ? session.service('identity', { version: 'v3' }) : undefined,
    close: async () => own?.close(),
  };
}

/** What Gnocchi says about a request that it refuses: a text, or an object with a `cause`. */
export function descriptionOf({ text }: HttpResponse): JsonValue {
  const answer = parsedOf(text);
  return answer !== undefined && isObject(answer) ? (answer['description'] ?? null) : null;
}

/** Undefined for what is no JSON, such as a proxy's page. */
export function parsedOf(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
