/** OpenStack as the credentials of `[service_credentials]` see it. */
import type { Config } from '../config/options.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { createBudget, type RequestBudget } from './budget.ts';
import { type Catalogue, type Endpoint, type EndpointFilter, findEndpoints } from './catalogue.ts';
import { type KeystoneCredentials, readCredentials } from './credentials.ts';
import { ApiError, NoEndpointError } from './errors.ts';
import { createHttp, type HttpRequest, type HttpResponse } from './http.ts';
import { withRetries } from './retry.ts';
import { createService, type OpenStackService } from './service.ts';
import { type Access, createTokens, fixedTokens } from './tokens.ts';
import { withVersion } from './version.ts';

export interface ServiceOptions {
  /** The name in the catalogue, where there is more than one service of the type. */
  readonly serviceName?: string;
  /** Takes the place of the catalogue's URL. */
  readonly endpoint?: string;
  /** The version that paths are of, e.g. `v3`: goes to the end of the URL unless one is there. */
  readonly version?: string;
  /** Go with each request, e.g. a microversion. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One for the life of the agent: a token, a catalogue and a pool of connections for all who ask. */
export interface OpenStackSession {
  /** A service by its type in the catalogue. Does no I/O: the endpoint is looked up at each request. */
  service(serviceType: string, options?: ServiceOptions): OpenStackService;
  /** All endpoints of a type, in the region and of the interface that are configured. */
  endpoints(serviceType: string, signal: AbortSignal): Promise<readonly Endpoint[]>;
  /** The whole catalogue. */
  catalogue(signal: AbortSignal): Promise<Catalogue>;
  /** Whose token it is. */
  identity(signal: AbortSignal): Promise<Identity>;
  close(): Promise<void>;
}

export interface Identity {
  readonly projectId: string | undefined;
  readonly userId: string | undefined;
}

export interface SessionOptions {
  /** Group that has the credentials; `[service_credentials]` when left out. */
  readonly credentials?: string;
  /** Of the agent; one of its own where left out. */
  readonly budget?: RequestBudget;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const USER_AGENT = 'ceilometer-polling ceilometer-ts';

/** Does no I/O. Throws {@link ConfigError} when the credentials are incomplete. */
export function createSession(config: Config, options: SessionOptions = {}): OpenStackSession {
  const { clock = systemClock, random = Math.random } = options;
  const { region, face, ...http } = sessionSettings(config);
  const { budget = createBudget({ ...config.polling, clock }) } = options;
  const credentials = readCredentials(config, options.credentials);
  const pool = createHttp(http);
  const closed = new AbortController();
  const tokens =
    credentials.kind === 'fixed'
      ? fixedTokens(credentials.headers)
      : createTokens({ login: () => login(credentials), clock });

  async function login({ keystone, login: asking }: KeystoneCredentials): Promise<HttpResponse> {
    const url = new URL(`${keystone}/auth/tokens`);
    const what = `identity POST ${url.pathname}`;
    const headers = { accept: 'application/json', 'content-type': 'application/json', 'user-agent': USER_AGENT };
    const body = JSON.stringify(asking);
    const request = { what, method: 'POST', url, headers, body, signal: closed.signal } as const;
    // It may be repeated: a token more does no harm.
    const response = await withRetries(() => pool.send(request), closed.signal, { clock, random });
    if (response.status >= 200 && response.status < 300) return response;
    throw new ApiError(`${what} answered ${response.status}, [service_credentials] may be wrong`, response.status);
  }

  function send(serviceType: string, request: HttpRequest): Promise<HttpResponse> {
    const attempt = () => budget.spend(serviceType, request.signal, () => pool.send(request));
    if (request.method !== 'GET' && request.method !== 'HEAD') return attempt();
    return withRetries(attempt, request.signal, { clock, random });
  }

  function filterOf(serviceType: string, serviceName?: string): EndpointFilter {
    return {
      serviceType,
      interface: face,
      ...(region !== undefined && { region }),
      ...(serviceName !== undefined && { serviceName }),
    };
  }

  /** A service that is missing may have been added after the catalogue was fetched. */
  async function freshAccess(isEnough: (access: Access) => boolean, signal: AbortSignal): Promise<Access> {
    const access = await tokens.get(signal);
    if (isEnough(access)) return access;
    tokens.doubt(access);
    return tokens.get(signal);
  }

  function endpointOf({ catalogue }: Access, filter: EndpointFilter): string | undefined {
    if (credentials.kind === 'fixed') return credentials.endpoint;
    return face === 'auth' ? credentials.keystone : findEndpoints(catalogue, filter)[0]?.url;
  }

  function service(serviceType: string, wanted: ServiceOptions = {}): OpenStackService {
    const filter = filterOf(serviceType, wanted.serviceName);
    function lookUp(access: Access): string | undefined {
      const url = wanted.endpoint?.replace(/\/+$/, '') ?? endpointOf(access, filter);
      return url === undefined || wanted.version === undefined ? url : withVersion(url, wanted.version);
    }
    return createService({
      name: serviceType,
      tokens,
      endpointOf(access) {
        const url = lookUp(access);
        if (url === undefined) throw new NoEndpointError(missing(filter), serviceType);
        return url;
      },
      access: (signal) => freshAccess((access) => lookUp(access) !== undefined, signal),
      headers: { 'user-agent': USER_AGENT, ...wanted.headers },
      secrets: credentials.secrets,
      send: (request) => send(serviceType, request),
    });
  }

  return {
    service,
    async endpoints(serviceType, signal) {
      const filter = filterOf(serviceType);
      const found = (access: Access) => findEndpoints(access.catalogue, filter);
      return found(await freshAccess((access) => found(access).length > 0, signal));
    },
    catalogue: async (signal) => (await tokens.get(signal)).catalogue,
    async identity(signal) {
      const { projectId, userId } = await tokens.get(signal);
      return { projectId, userId };
    },
    async close() {
      closed.abort(new Error('the session is closed'));
      await pool.close();
    },
  };
}

function missing({ serviceType, serviceName, interface: face, region }: EndpointFilter): string {
  const named = serviceName === undefined ? '' : ` named ${serviceName}`;
  const where = region === undefined ? '' : ` in region ${region}`;
  return `the service catalogue has no ${face} endpoint of ${serviceType}${named}${where}`;
}

const DEFAULT_TIMEOUT = 60;

function sessionSettings({ serviceCredentials }: Config) {
  const { cafile, certfile, keyfile, insecure, timeout = DEFAULT_TIMEOUT } = serviceCredentials;
  const { regionName, interface: face } = serviceCredentials;
  return {
    cafile: cafile || undefined,
    certfile: certfile || undefined,
    keyfile: keyfile || undefined,
    insecure,
    timeout: timeout * 1000,
    region: regionName || undefined,
    face,
  };
}
