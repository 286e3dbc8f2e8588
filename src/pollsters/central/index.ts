/** The namespace central: what OpenStack's services tell. */
import { type Discovery, definePlugin, type Factory } from '../../plugin.ts';
import { alarms, evaluationResults } from './alarm.ts';
import { type Central, oneForEachHost } from './central.ts';
import { recordsets, zone, zones } from './dns.ts';
import { endpointDiscovery } from './endpoint.ts';
import { image, images } from './image.ts';
import { itemPollsters } from './item-pollsters.ts';
import { type Listing, listingDiscovery } from './listing.ts';
import { loadBalancer, loadBalancers } from './load-balancer.ts';
import {
  firewall,
  firewallPolicies,
  firewallPolicy,
  firewalls,
  floatingIp,
  floatingIps,
  ipsecConnection,
  ipsecConnections,
  vpnService,
  vpnServices,
} from './network.ts';
import { gatewayPollsters } from './rados-gateway.ts';
import { share, shares } from './share.ts';
import { swiftPollsters } from './swift.ts';
import { tenantDiscovery } from './tenant.ts';
import {
  backupSize,
  backups,
  poolCapacity,
  pools,
  serviceHealth,
  services,
  snapshotSize,
  snapshots,
  volumeSize,
  volumes,
} from './volume.ts';

const centralOf = oneForEachHost();

const tables = [
  [images, image],
  [volumes, volumeSize],
  [snapshots, snapshotSize],
  [backups, backupSize],
  [pools, poolCapacity],
  [services, serviceHealth],
  [floatingIps, floatingIp],
  [vpnServices, vpnService],
  [ipsecConnections, ipsecConnection],
  [firewalls, firewall],
  [firewallPolicies, firewallPolicy],
  [loadBalancers, loadBalancer],
  [zones, zone],
  [shares, share],
] as const;

const listings: readonly Listing[] = [...tables.map(([listing]) => listing), alarms];

const discovery =
  (make: (central: Central) => Discovery): Factory<Discovery> =>
  (host) =>
    make(centralOf(host));

export default definePlugin({
  api: 1,
  name: 'central',
  pollsters: {
    central: {
      ...Object.assign({}, ...tables.map(([listing, table]) => itemPollsters(centralOf, listing, table))),
      'dns.zone.recordsets': recordsets(centralOf),
      'alarm.evaluation_result': evaluationResults(centralOf),
      ...swiftPollsters(centralOf),
      ...gatewayPollsters(centralOf),
    },
  },
  discoveries: {
    central: {
      tenant: discovery(tenantDiscovery),
      endpoint: discovery(endpointDiscovery),
      ...Object.fromEntries(
        listings.map((listing) => [listing.name, discovery((central) => listingDiscovery(central, listing))]),
      ),
    },
  },
});
