import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AgentHost, createHost } from '../../src/agent/host.ts';
import { loadConfig } from '../../src/config/load.ts';
import { openGnocchi, parsedOf } from '../../src/gnocchi/api.ts';
import { upgradeResourceTypes } from '../../src/gnocchi/upgrade.ts';
import { parsePublisherUrl } from '../../src/pipeline/publisher-url.ts';
import { gnocchiPublisher } from '../../src/publishers/gnocchi.ts';
import { type ApiClient, logIn } from '../helpers/openstack/client.ts';
import { addGnocchi } from '../helpers/openstack/gnocchi.ts';
import { addKeystone, authToken } from '../helpers/openstack/keystone.ts';
import { openSite, type Site } from '../helpers/openstack/site.ts';
import { soon as signal } from '../helpers/patience.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { describeWith } from '../helpers/services.ts';

describeWith(['gnocchi', 'keystone'], 'the publisher gnocchi with Keystone', () => {
  let site: Site;
  let host: AgentHost;
  let serviceProject: string;
  const log = recordingLog();

  beforeAll(async () => {
    site = await openSite();
    const keystone = await addKeystone(site, { tokenLife: 3600 });
    const admin = await logIn(keystone, 'admin', 'admin');
    serviceProject = await addServiceUser(admin, 'gnocchi');
    const url = await addGnocchi(site, { authToken: authToken(keystone, 'gnocchi') });
    await addToCatalogue(admin, url);
    const credentials = {
      authType: 'password',
      authUrl: keystone,
      username: 'admin',
      password: admin.password,
      projectName: 'admin',
      userDomainName: 'Default',
      projectDomainName: 'Default',
    };
    const overrides = { serviceCredentials: credentials };
    host = createHost(loadConfig({ files: [], dirs: [], env: {}, overrides }).config, log);
  }, 300_000);

  afterAll(async () => {
    await host?.close();
    await site?.close();
  });

  it('finds Gnocchi in the catalogue, and leaves out what Gnocchi itself does', async () => {
    const api = openGnocchi(host, { timeout: 60_000 });
    await upgradeResourceTypes(api, log, signal());
    const publisher = gnocchiPublisher(parsePublisherUrl('gnocchi://?timeout=30'), host);
    const sampleOf = (name: string, resourceId: string, projectId: string) => ({
      id: 'id',
      name,
      type: 'gauge' as const,
      unit: 'B',
      volume: 1,
      userId: null,
      userName: null,
      projectId,
      projectName: null,
      resourceId,
      timestamp: '2026-03-01T00:00:00',
      metadata: {},
      source: 'o',
    });

    await publisher.publishSamples?.(
      [
        sampleOf('ip.floating', 'of-somebody', 'p1'),
        sampleOf('ip.floating', 'of-gnocchi', serviceProject),
        sampleOf('storage.objects', serviceProject, 'p1'),
        sampleOf('storage.objects', 'account', 'p1'),
      ],
      signal(),
    );
    await publisher.close();

    const { text } = await api.request('GET', '/v1/resource/generic', { signal: signal() });
    await api.close();
    const found = parsedOf(text) as { original_resource_id: string }[];
    expect(found.map((one) => one.original_resource_id).sort()).toEqual(['account', 'of-somebody']);
    expect(log.told).toEqual([]);
  });

  it('filters nothing, and says so once, when the project does not exist', async () => {
    const publisher = gnocchiPublisher(parsePublisherUrl('gnocchi://?filter_project=nobody&timeout=30'), host);

    for (let round = 0; round < 2; round += 1) await publisher.publishSamples?.([], signal());
    await publisher.close();

    expect(log.fields('the project of Gnocchi does not exist, nothing is filtered')).toEqual([
      { project: 'nobody', domain: 'Default' },
    ]);
  });
});

/** Resolves to the id of the project service, in which the user is. */
async function addServiceUser(admin: ApiClient, name: string): Promise<string> {
  const { keystone, password } = admin;
  const { roles } = await admin.get(`${keystone}/v3/roles?name=admin`);
  const { project } = await admin.post(`${keystone}/v3/projects`, {
    project: { name: 'service', domain_id: 'default' },
  });
  const { user } = await admin.post(`${keystone}/v3/users`, { user: { name, domain_id: 'default', password } });
  await admin.put(`${keystone}/v3/projects/${project.id}/users/${user.id}/roles/${roles[0].id}`);
  return project.id;
}

async function addToCatalogue(admin: ApiClient, url: string): Promise<void> {
  const { keystone } = admin;
  const { service } = await admin.post(`${keystone}/v3/services`, { service: { type: 'metric', name: 'gnocchi' } });
  const endpoint = { service_id: service.id, interface: 'public', region_id: 'RegionOne', url };
  await admin.post(`${keystone}/v3/endpoints`, { endpoint });
}
