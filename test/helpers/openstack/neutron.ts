import { freePorts } from '../ports.ts';
import { authToken } from './keystone.ts';
import type { Site } from './site.ts';

/** Resolves to its URL. No agent carries out what it is told, so that what it makes stays down. */
export async function addNeutron(site: Site, keystone: string, transportUrl: string): Promise<string> {
  const [port = 0] = await freePorts(1);
  const state = await site.folder('neutron');
  const file = await site.writeIni('neutron/neutron.conf', {
    DEFAULT: {
      use_stderr: true,
      core_plugin: 'ml2',
      service_plugins: 'router',
      api_paste_config: '/etc/neutron/api-paste.ini',
      bind_host: '127.0.0.1',
      bind_port: port,
      api_workers: 1,
      rpc_workers: 0,
      rpc_state_report_workers: 0,
      state_path: state,
      notify_nova_on_port_status_changes: false,
      notify_nova_on_port_data_changes: false,
      dhcp_agent_notification: false,
      transport_url: transportUrl,
    },
    database: { connection: await site.database('neutron') },
    oslo_concurrency: { lock_path: await site.folder('neutron/lock') },
    ml2: { type_drivers: 'local,flat', tenant_network_types: 'local', mechanism_drivers: '' },
    ml2_type_flat: { flat_networks: '*' },
    keystone_authtoken: authToken(keystone, 'neutron'),
  });
  await site.run('neutron-db-manage', ['--config-file', file, 'upgrade', 'heads']);
  await site.start('neutron-server', ['--config-file', file], { port });
  return `http://127.0.0.1:${port}`;
}
