import { copyFile } from 'node:fs/promises';
import { freePorts } from '../ports.ts';
import { authToken } from './keystone.ts';
import type { Site } from './site.ts';

/** Entries of a page at most, whatever is asked for. */
export const GLANCE_PAGE = 3;

/** Resolves to its URL. */
export async function addGlance(site: Site, keystone: string): Promise<string> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const config = await site.folder('glance');
  const paste = site.path('glance/glance-api-paste.ini');
  await copyFile('/etc/glance/glance-api-paste.ini', paste);
  const file = await site.writeIni('glance/glance-api.conf', {
    DEFAULT: {
      use_stderr: true,
      enabled_backends: 'fs:file',
      api_limit_max: GLANCE_PAGE,
      worker_self_reference_url: url,
    },
    database: { connection: await site.database('glance') },
    glance_store: { default_backend: 'fs' },
    fs: { filesystem_store_datadir: await site.folder('glance/images') },
    os_glance_tasks_store: { filesystem_store_datadir: await site.folder('glance/tasks') },
    os_glance_staging_store: { filesystem_store_datadir: await site.folder('glance/staging') },
    paste_deploy: { flavor: 'keystone', config_file: paste },
    keystone_authtoken: authToken(keystone, 'glance'),
  });
  await site.run('glance-manage', ['--config-file', file, 'db_sync']);
  await site.startWsgi('/usr/bin/glance-wsgi-api', port, { env: { OS_GLANCE_CONFIG_DIR: config } });
  return url;
}
