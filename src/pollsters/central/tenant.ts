/** The projects of a cloud, domain by domain: not every Keystone lists those of all domains at once. */
import type { Discovery, OpenStackService, PollContext, Resource } from '../../plugin.ts';
import type { JsonObject } from '../../wire/value.ts';
import type { Central } from './central.ts';
import { textIn } from './fields.ts';

export function tenantDiscovery({ host, services: { identity } }: Central): Discovery {
  const enabled: Readonly<Record<string, string>> = host.config.polling.ignoreDisabledProjects
    ? { enabled: 'True' }
    : {};
  return {
    group: 'tenant',
    async discover(_parameter, ctx) {
      const projects = new Map<string, Resource>();
      if (identity === undefined) return [];
      for await (const domain of listed(identity, 'domains', enabled, ctx)) {
        const query = { domain_id: domain, ...enabled };
        for await (const id of listed(identity, 'projects', query, ctx)) projects.set(id, { id });
      }
      return [...projects.values()];
    },
  };
}

async function* listed(
  identity: OpenStackService,
  collection: string,
  query: Readonly<Record<string, string>>,
  { signal }: PollContext,
): AsyncGenerator<string> {
  for await (const page of identity.pages(`/${collection}`, collection, { query, signal })) {
    yield* page.map((entry: JsonObject) => textIn(entry, 'id')).filter((id) => id !== undefined);
  }
}
