import { freePorts } from '../ports.ts';
import { authToken } from './keystone.ts';
import type { Site } from './site.ts';

/** Entries of a page, small so that there are several. */
export const CINDER_PAGE = 4;

/** Resolves to its URL for the catalogue. Its volumes are rows: the driver is the one of Cinder's own tests. */
export async function addCinder(site: Site, keystone: string, transportUrl: string): Promise<string> {
  const [port = 0] = await freePorts(1);
  const state = await site.folder('cinder');
  const file = await site.writeIni('cinder/cinder.conf', {
    DEFAULT: {
      use_stderr: true,
      host: 'testhost',
      api_paste_config: '/etc/cinder/api-paste.ini',
      resource_query_filters_file: '/etc/cinder/resource_filters.json',
      state_path: state,
      transport_url: transportUrl,
      enabled_backends: 'fast',
      default_volume_type: 'fast',
      auth_strategy: 'keystone',
      osapi_max_limit: CINDER_PAGE,
    },
    fast: { volume_driver: 'cinder.tests.fake_driver.FakeLoggingVolumeDriver', volume_backend_name: 'fast' },
    database: { connection: await site.database('cinder') },
    oslo_concurrency: { lock_path: await site.folder('cinder/lock') },
    keystone_authtoken: authToken(keystone, 'cinder'),
  });
  const config = ['--config-file', file];
  await site.run('cinder-manage', [...config, 'db', 'sync']);
  await site.startWsgi('/usr/bin/cinder-wsgi', port, { args: config.join(' ') });
  await site.start('cinder-scheduler', config);
  await site.start('cinder-volume', config);
  return `http://127.0.0.1:${port}/v3/%(project_id)s`;
}
