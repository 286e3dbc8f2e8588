import { codeIn, type Table } from './item-pollsters.ts';
import type { Listing } from './listing.ts';

export const loadBalancers: Listing = {
  name: 'lb_services',
  service: ({ services }) => services.loadBalancer,
  path: '/lbaas/loadbalancers',
  collection: 'loadbalancers',
  project: ['project_id'],
  metadata: [
    'name',
    'availability_zone',
    'vip_address',
    'vip_port_id',
    'provisioning_status',
    'operating_status',
    'provider',
    'flavor_id',
  ],
  values: ['operating_status', 'provisioning_status'],
};

const OPERATING = { online: 1, draining: 2, offline: 3, degraded: 4, error: 5, no_monitor: 6 };
const PROVISIONING = { active: 1, deleted: 2, error: 3, pending_create: 4, pending_update: 5, pending_delete: 6 };

export const loadBalancer: Table = {
  'loadbalancer.operating': {
    unit: 'status',
    help: 'How the load balancer works: 1 online, 2 draining, 3 offline, 4 degraded, 5 error, 6 no monitor, −1 anything else.',
    read: codeIn(OPERATING, 'operating_status'),
  },
  'loadbalancer.provisioning': {
    unit: 'status',
    help: 'What becomes of the load balancer: 1 active, 2 deleted, 3 error, 4 pending create, 5 pending update, 6 pending delete, −1 anything else.',
    read: codeIn(PROVISIONING, 'provisioning_status'),
  },
};
