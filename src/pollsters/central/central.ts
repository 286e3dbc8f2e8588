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

/**
 * What `ask` finds; nothing where the catalogue has no such service, or where the service does not know of it and
 * `optional` is set. That is told once, and asked again in each cycle.
 */
export async function askedOf<T>(
  central: Central,
  what: string,
  optional: boolean,
  ask: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const missing = `no service for ${what}`;
  const unknown = `no API for ${what}`;
  try {
    const found = await ask();
    central.fine(missing);
    central.fine(unknown);
    return found;
  } catch (error) {
    if (error instanceof NoEndpointError) {
      central.troubled(missing, { discovery: what, err: error }, 'a service is missing, its resources are left out');
      return [];
    }
    if (optional && statusOf(error) === 404) {
      central.troubled(unknown, { discovery: what, err: error }, 'a service has no such API, it is left out');
      return [];
    }
    throw error;
  }
}
