/** The URLs of services: for pollsters that ask a service as a whole. */
import { findEndpoints } from '../../openstack/catalogue.ts';
import type { Discovery } from '../../plugin.ts';
import type { Central } from './central.ts';

export function endpointDiscovery(central: Central): Discovery {
  const { host, session } = central;
  const { interface: face, regionName } = host.config.serviceCredentials;
  const filter = { interface: face, ...(regionName && { region: regionName }) };
  return {
    group: 'endpoint',
    async discover(serviceType, { signal }) {
      if (session === undefined) return [];
      const found =
        serviceType === undefined
          ? findEndpoints(await session.catalogue(signal), filter)
          : await session.endpoints(serviceType, signal);
      const trouble = `no endpoint of ${serviceType ?? 'any service'}`;
      if (found.length === 0) {
        central.troubled(trouble, { serviceType: serviceType ?? 'any' }, 'the service catalogue has no such endpoint');
      } else {
        central.fine(trouble);
      }
      return [...new Set(found.map(({ url }) => url))].map((id) => ({ id }));
    },
  };
}
