/** What all pollsters of the namespace share: the services they ask, and what was said about them. */
import { codeOf } from '../../errors.ts';
import { type Host, NoEndpointError, type OpenStackService, type OpenStackSession, statusOf } from '../../plugin.ts';

export interface Central {
  readonly host: Host;
  /** Undefined where no credentials are configured: then there is nothing to poll. */
  readonly session: OpenStackSession | undefined;
  readonly services: Services;
  /** Warns when it begins. */
  troubled(trouble: string, fields: object, message: string): void;
  /** Tells when it is over. */
  fine(trouble: string): void;
}

export type CentralOf = (host: Host) => Central;

/** Undefined where no credentials are configured. */
type Service = OpenStackService | undefined;

interface Services {
  readonly image: Service;
  readonly volume: Service;
  readonly network: Service;
  readonly loadBalancer: Service;
  readonly dns: Service;
  readonly share: Service;
  readonly alarm: Service;
  readonly swift: Service;
  readonly identity: Service;
}

/** The microversion of openstacksdk and cinderclient: it says of volumes which type they are of, by id. */
const CINDER = { 'openstack-api-version': 'volume 3.64' };
const ALL_PROJECTS = { 'x-auth-all-projects': 'True' };

/** Throws `ERR_CONFIG` where credentials are configured that do not suffice. */
function createCentral(host: Host): Central {
  const session = openSession(host);
  const { serviceTypes } = host.config;
  const troubles = new Set<string>();
  return {
    host,
    session,
    services: {
      image: session?.service('image', { version: 'v2' }),
      volume: session?.service(serviceTypes.cinder, { headers: CINDER }),
      network: session?.service(serviceTypes.neutron, { version: 'v2.0' }),
      loadBalancer: session?.service(serviceTypes.octavia, { version: 'v2.0' }),
      dns: session?.service(serviceTypes.designate, { version: 'v2', headers: ALL_PROJECTS }),
      share: session?.service(serviceTypes.manila),
      alarm: session?.service(serviceTypes.aodh, { version: 'v2' }),
      swift: session?.service(serviceTypes.swift),
      identity: session?.service('identity', { version: 'v3' }),
    },
    troubled(trouble, fields, message) {
      if (troubles.has(trouble)) return;
      troubles.add(trouble);
      host.log.warn(fields, message);
    },
    fine(trouble) {
      if (troubles.delete(trouble)) host.log.info({ trouble }, 'is over');
    },
  };
}

/** The same for all members of a host. */
export function oneForEachHost(): CentralOf {
  const centrals = new WeakMap<Host, Central>();
  return (host) => {
    let central = centrals.get(host);
    if (central === undefined) {
      central = createCentral(host);
      centrals.set(host, central);
    }
    return central;
  };
}

/** The namespace is one of the defaults, so it also runs on hosts where nobody thought of OpenStack. */
function openSession(host: Host): OpenStackSession | undefined {
  const { authSection, authType, authUrl } = host.config.serviceCredentials;
  try {
    return host.openstack();
  } catch (error) {
    if (codeOf(error) !== 'ERR_CONFIG' || (authSection ?? authType ?? authUrl) !== undefined) throw error;
    host.log.warn({}, '[service_credentials] are not set, the namespace central polls nothing');
    return undefined;
  }
}

/** What `ask` finds, page by page; nothing where there is no such service, see {@link isAbsent}. */
export async function* pagesOf<T>(
  central: Central,
  what: string,
  optional: boolean,
  ask: () => AsyncIterable<T>,
): AsyncGenerator<T> {
  const pages = ask()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const page = await pages.next().catch((error: unknown) => {
        if (isAbsent(central, what, optional, error)) return undefined;
        throw error;
      });
      if (page === undefined) return;
      isThere(central, what);
      if (page.done === true) return;
      yield page.value;
    }
  } finally {
    await pages.return?.();
  }
}

/** What `ask` finds; nothing where there is no such service, see {@link isAbsent}. */
export async function askedOf<T>(central: Central, what: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    const found = await ask();
    isThere(central, what);
    return found;
  } catch (error) {
    if (isAbsent(central, what, false, error)) return undefined;
    throw error;
  }
}

const missing = (what: string) => `no service for ${what}`;
const unknown = (what: string) => `no API for ${what}`;

/**
 * Whether the catalogue has no such service, or the service does not know of it and `optional` is set. That is told
 * once, and asked again in each cycle.
 */
function isAbsent(central: Central, what: string, optional: boolean, error: unknown): boolean {
  const fields = { discovery: what, err: error };
  if (error instanceof NoEndpointError) {
    central.troubled(missing(what), fields, 'a service is missing, its resources are left out');
    return true;
  }
  if (!optional || statusOf(error) !== 404) return false;
  central.troubled(unknown(what), fields, 'a service has no such API, it is left out');
  return true;
}

function isThere(central: Central, what: string): void {
  central.fine(missing(what));
  central.fine(unknown(what));
}
