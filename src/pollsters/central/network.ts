/** Neutron: floating IPs, VPN and firewalls. */
import type { JsonObject } from '../../wire/value.ts';
import type { Central } from './central.ts';
import { codeIn, one, type Table } from './item-pollsters.ts';
import type { Listing } from './listing.ts';

const neutron = ({ services }: Central) => services.network;
const PROJECT = ['project_id', 'tenant_id'];

export const floatingIps: Listing = {
  name: 'fip_services',
  service: neutron,
  path: '/floatingips',
  collection: 'floatingips',
  project: ['tenant_id', 'project_id'],
  user: 'user_id',
  metadata: ['router_id', 'status', 'floating_network_id', 'fixed_ip_address', 'port_id', 'floating_ip_address'],
  values: ['status'],
};

export const vpnServices: Listing = {
  name: 'vpn_services',
  service: neutron,
  path: '/vpn/vpnservices',
  collection: 'vpnservices',
  optional: true,
  project: PROJECT,
  metadata: [
    ['is_admin_state_up', 'admin_state_up'],
    'description',
    'name',
    'status',
    'subnet_id',
    'router_id',
    'flavor_id',
    'external_v4_ip',
    'external_v6_ip',
  ],
  values: ['status'],
  types: { admin_state_up: 'boolean' },
};

export const ipsecConnections: Listing = {
  name: 'ipsec_connections',
  service: neutron,
  path: '/vpn/ipsec-site-connections',
  collection: 'ipsec_site_connections',
  optional: true,
  unfold: (connection, { host }): JsonObject =>
    host.config.polling.includeVpnSecrets || !connection['psk'] ? connection : { ...connection, psk: '***' },
  project: PROJECT,
  metadata: [
    'name',
    'description',
    'peer_address',
    'peer_id',
    'peer_cidrs',
    'peer_ep_group_id',
    'psk',
    'initiator',
    'ikepolicy_id',
    'ipsecpolicy_id',
    'vpnservice_id',
    'mtu',
    ['is_admin_state_up', 'admin_state_up'],
    'status',
    'project_id',
  ],
  values: [],
  types: { peer_cidrs: 'list', mtu: 'integer', admin_state_up: 'boolean' },
};

export const firewalls: Listing = {
  name: 'fw_services',
  service: neutron,
  path: '/fwaas/firewall_groups',
  collection: 'firewall_groups',
  optional: true,
  project: PROJECT,
  metadata: [
    'admin_state_up',
    'description',
    'name',
    'status',
    'ingress_firewall_policy_id',
    'egress_firewall_policy_id',
  ],
  values: ['status'],
};

export const firewallPolicies: Listing = {
  name: 'fw_policy',
  service: neutron,
  path: '/fwaas/firewall_policies',
  collection: 'firewall_policies',
  optional: true,
  project: PROJECT,
  metadata: ['name', 'description', 'firewall_rules', 'shared', 'audited'],
  values: [],
  types: { firewall_rules: 'list' },
};

const CODES = {
  inactive: 0,
  active: 1,
  pending_create: 2,
  down: 3,
  created: 4,
  pending_update: 5,
  pending_delete: 6,
  error: 7,
};

const CODES_TOLD =
  '0 inactive, 1 active, 2 pending create, 3 down, 4 created, 5 pending update, 6 pending delete, 7 error, −1 anything else.';

export const floatingIp: Table = {
  'ip.floating': { unit: 'ip', help: `Status of the floating IP: ${CODES_TOLD}`, read: codeIn(CODES, 'status') },
};

export const vpnService: Table = {
  'network.services.vpn': {
    unit: 'vpnservice',
    help: `Status of the VPN service: ${CODES_TOLD}`,
    read: codeIn(CODES, 'status'),
  },
};

export const ipsecConnection: Table = {
  'network.services.vpn.connections': {
    unit: 'ipsec_site_connection',
    help: 'Always 1, for each IPsec connection between sites; its secret is masked unless `[polling] include_vpn_secrets` is set.',
    read: one,
  },
};

export const firewall: Table = {
  'network.services.firewall': {
    unit: 'firewall',
    help: `Status of the firewall group: ${CODES_TOLD}`,
    read: codeIn(CODES, 'status'),
  },
};

export const firewallPolicy: Table = {
  'network.services.firewall.policy': {
    unit: 'firewall_policy',
    help: 'Always 1, for each firewall policy.',
    read: one,
  },
};
