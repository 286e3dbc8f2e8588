/** A real Gnocchi of Debian's packages: its API, metricd, an indexer of its own and measures in files. */
import { freePorts } from '../ports.ts';
import type { Ini, Site } from './site.ts';

export interface GnocchiOptions {
  /** Left out, Gnocchi asks nobody and takes the user of `gnocchi-basic`. */
  readonly authToken?: Ini[string];
}

/** Resolves to its URL. */
export async function addGnocchi(site: Site, { authToken }: GnocchiOptions = {}): Promise<string> {
  const [port = 0] = await freePorts(1);
  const file = await site.writeIni('gnocchi.conf', {
    DEFAULT: { coordination_url: `file://${await site.folder('gnocchi', 'coordination')}`, parallel_operations: 2 },
    api: { auth_mode: authToken === undefined ? 'basic' : 'keystone' },
    indexer: { url: await site.database('gnocchi') },
    storage: { driver: 'file', file_basepath: await site.folder('gnocchi', 'measures') },
    metricd: { workers: 1, metric_processing_delay: 1, greedy: true },
    oslo_policy: { policy_file: '/usr/lib/python3/dist-packages/gnocchi/rest/policy.yaml' },
    ...(authToken !== undefined && { keystone_authtoken: authToken }),
  });
  await site.run('gnocchi-upgrade', ['--config-file', file]);
  await site.start('gnocchi-metricd', ['--config-file', file]);
  const wsgi = '/usr/lib/python3/dist-packages/gnocchi/rest/wsgi.py';
  // What checks tokens reads the file of that name in the home directory, whatever the arguments say.
  await site.startWsgi(wsgi, port, { args: `--config-file ${file}`, env: { HOME: site.path() } });
  return `http://127.0.0.1:${port}`;
}
