/** What of Nova and Glance is needed to describe instances. */
import type { OpenStackService, OpenStackSession } from '../../../plugin.ts';
import { statusOf } from '../../../plugin.ts';
import { isObject, type JsonObject } from '../../../wire/value.ts';

export interface NovaApi {
  /**
   * The servers of a host, those of all projects; with `since` those that changed after it, deleted ones among them.
   */
  servers(hostname: string, since: string | undefined, signal: AbortSignal): Promise<readonly JsonObject[]>;
  /** Undefined when there is none, here and below. */
  server(id: string, signal: AbortSignal): Promise<JsonObject | undefined>;
  flavor(id: string, signal: AbortSignal): Promise<JsonObject | undefined>;
  /** The ids of all flavors by name, private ones among them. */
  flavorIds(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  image(id: string, signal: AbortSignal): Promise<JsonObject | undefined>;
}

/** Upstream's: servers name their flavor by its id, as every Nova can. */
const MICROVERSION = { 'x-openstack-nova-api-version': '2.1' };

export function createNovaApi(session: OpenStackSession, serviceType: string): NovaApi {
  const nova = session.service(serviceType, { headers: MICROVERSION });
  const glance = session.service('image', { version: 'v2' });

  return {
    async servers(hostname, since, signal) {
      const query = { all_tenants: 'True', host: hostname, ...(since !== undefined && { 'changes-since': since }) };
      return collect(nova, '/servers/detail', 'servers', query, signal);
    },
    server: (id, signal) => one(nova, 'servers', id, 'server', signal),
    flavor: (id, signal) => one(nova, 'flavors', id, 'flavor', signal),
    async flavorIds(signal) {
      const flavors = await collect(nova, '/flavors', 'flavors', { is_public: 'None' }, signal);
      return new Map(
        flavors.flatMap(({ name, id }) => (typeof name === 'string' && typeof id === 'string' ? [[name, id]] : [])),
      );
    },
    // An image is its own document.
    image: (id, signal) => one(glance, 'images', id, undefined, signal),
  };
}

async function collect(
  service: OpenStackService,
  path: string,
  collection: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const items: JsonObject[] = [];
  for await (const page of service.pages(path, collection, { query, signal })) items.push(...page);
  return items;
}

/** One that may not be seen is as good as none. */
async function one(
  service: OpenStackService,
  path: string,
  id: string,
  key: string | undefined,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  try {
    const answer = await service.get(`/${path}/${encodeURIComponent(id)}`, { signal });
    const found = key === undefined ? answer : answer[key];
    return found !== undefined && isObject(found) ? found : undefined;
  } catch (error) {
    if ([403, 404].includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}
