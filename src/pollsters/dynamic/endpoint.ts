import type { Discovery, Host } from '../../plugin.ts';

/** The URLs of the endpoints of a service type. */
export function endpointDiscovery(host: Host): Discovery {
  const missing = new Set<string>();
  return {
    group: 'endpoint',
    async discover(serviceType = '', { signal }) {
      const found = await host.openstack().endpoints(serviceType, signal);
      if (found.length > 0) missing.delete(serviceType);
      else if (!missing.has(serviceType)) {
        missing.add(serviceType);
        host.log.warn({ serviceType }, 'the service catalogue has no such endpoint');
      }
      return [...new Set(found.map(({ url }) => url))].map((id) => ({ id }));
    },
  };
}
