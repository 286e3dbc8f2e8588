/** The admin API of RADOS gateways. */
import { ServiceError } from '../../errors.ts';
import { findEndpoints } from '../../openstack/catalogue.ts';
import { createHttp } from '../../openstack/http.ts';
import { withRetries } from '../../openstack/retry.ts';
import { ApiError, type Host, NoEndpointError, type OpenStackSession } from '../../plugin.ts';
import { systemClock } from '../../util/clock.ts';
import { parseJson } from '../../wire/json-parser.ts';
import type { JsonValue } from '../../wire/value.ts';
import { canonicalQuery, type Keys, signV4 } from './sign-v4.ts';

export interface GatewayApi {
  /** Rejects with {@link NoEndpointError} when the catalogue has none. */
  endpoint(signal: AbortSignal): Promise<URL>;
  /** The JSON that it answers; undefined for an answer that is empty. */
  get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<JsonValue | undefined>;
}

const DEFAULT_TIMEOUT = 60;

/** Undefined where no gateway is configured. It has keys and TLS settings of its own, and takes no token. */
export function createGatewayApi(host: Host, session: OpenStackSession, keys: Keys): GatewayApi | undefined {
  const { rgwClient, serviceCredentials, serviceTypes } = host.config;
  const name = rgwClient.rgwServiceName || undefined;
  const type = serviceTypes.radosgw || undefined;
  const service = name ?? type;
  if (service === undefined) return undefined;
  // Connections that nobody uses end by themselves.
  const http = createHttp({
    cafile: rgwClient.cafile || undefined,
    insecure: rgwClient.insecure,
    minVersion: rgwClient.tlsMinVersion,
    maxVersion: rgwClient.tlsMaxVersion,
    timeout: (serviceCredentials.timeout ?? DEFAULT_TIMEOUT) * 1000,
  });

  async function endpoint(signal: AbortSignal): Promise<URL> {
    const found = type === undefined ? await namedEndpoint(signal) : await typedEndpoint(type, signal);
    return new URL('/admin', found);
  }

  function typedEndpoint(serviceType: string, signal: AbortSignal): Promise<string> {
    return session.service(serviceType, name === undefined ? {} : { serviceName: name }).endpoint(signal);
  }

  async function namedEndpoint(signal: AbortSignal): Promise<string> {
    const { interface: face, regionName } = serviceCredentials;
    const filter = { interface: face, ...(name && { serviceName: name }), ...(regionName && { region: regionName }) };
    const [first] = findEndpoints(await session.catalogue(signal), filter);
    if (first === undefined)
      throw new NoEndpointError(`the service catalogue has no endpoint named ${name}`, `${name}`);
    return first.url;
  }

  return {
    endpoint,
    async get(path, query, signal) {
      const url = new URL(`${await endpoint(signal)}/${path}?${canonicalQuery(query)}`);
      const what = `RADOS gateway GET ${url.pathname}`;
      const response = await withRetries(
        () =>
          host.budget.spend(service, signal, () => {
            // Signed when it is sent: a signature holds for some minutes.
            const headers = { accept: 'application/json', ...signV4(url, keys, Date.now()) };
            return http.send({ what, method: 'GET', url, headers, signal });
          }),
        signal,
        { clock: systemClock, random: Math.random },
      );
      const { status, text } = response;
      if (status !== 200) throw new ApiError(`${what} answered ${status}`, status);
      if (text.trim() === '') return undefined;
      try {
        return parseJson(text);
      } catch (cause) {
        throw new ServiceError(`${what}: the answer is no JSON`, { cause });
      }
    },
  };
}
