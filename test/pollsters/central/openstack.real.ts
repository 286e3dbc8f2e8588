/** What the agent makes of real services, beside what upstream made of the same kinds of resources. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { createSession, type OpenStackSession } from '../../../src/openstack/session.ts';
import { run } from '../../helpers/agent-process.ts';
import { collectPages } from '../../helpers/collect-pages.ts';
import { CINDER_PAGE } from '../../helpers/openstack/cinder.ts';
import { AGENT, type Cloud, startCloud } from '../../helpers/openstack/cloud.ts';
import { GLANCE_PAGE } from '../../helpers/openstack/glance.ts';
import { PASSWORD } from '../../helpers/openstack/keystone.ts';
import { soon as signal } from '../../helpers/patience.ts';
import { describeWith } from '../../helpers/services.ts';
import { type GoldenSample, golden } from './support.ts';

const METERS = ['image.*', 'volume.*', 'ip.floating', 'storage.*'];
const IMAGES = 7;
const VOLUMES = CINDER_PAGE * 2 + 1;
const CONTAINERS = ['empty', 'photos', 'sp ace-ü'];

describeWith('openstack', 'the central namespace on real services', () => {
  let cloud: Cloud;
  let folder: string;
  let samples: readonly GoldenSample[];
  const sessions: OpenStackSession[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'openstack-'));
    cloud = await startCloud();
    await makeImages();
    await makeContainers();
    await makeVolumes();
    await makeFloatingIps();
    samples = await poll();
  }, 600_000);

  afterAll(async () => {
    await Promise.all(sessions.map((session) => session.close()));
    await cloud?.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  /** As the one who recorded upstream made them. */
  async function makeImages(): Promise<void> {
    const { admin, alice, urls } = cloud;
    const bare = { disk_format: 'raw', container_format: 'bare', visibility: 'private' };
    const filled = async (who: typeof alice, image: object, data: string) => {
      const { id } = await who.post(`${urls.image}/v2/images`, { ...bare, ...image });
      const type = { 'content-type': 'application/octet-stream' };
      await who.put(`${urls.image}/v2/images/${id}/file`, data, type);
    };
    const cirros = { name: 'cirros-public', visibility: 'public', disk_format: 'qcow2', min_disk: 1, min_ram: 64 };
    await filled(admin, { ...cirros, tags: ['linux', 'small'] }, 'Q'.repeat(4096));
    await filled(alice, { name: 'private-beta', protected: true }, 'p'.repeat(12_345));
    await alice.post(`${urls.image}/v2/images`, { ...bare, name: 'queued-img' });
    for (let number = 1; number <= IMAGES - 3; number += 1) {
      await filled(alice, { name: `bulk-0${number}` }, 'b'.repeat(number * 10));
    }
  }

  async function makeContainers(): Promise<void> {
    const { alice, urls } = cloud;
    const account = urls['object-store'].replace('%(project_id)s', alice.projectId);
    for (const name of CONTAINERS) await alice.put(`${account}/${encodeURIComponent(name)}`);
    for (const size of [1000, 2000, 3000]) await alice.put(`${account}/photos/p${size}.jpg`, 'x'.repeat(size));
    await alice.put(`${account}/${encodeURIComponent('sp ace-ü')}/o`, 'x');
    await cloud.settleSwift();
  }

  async function makeVolumes(): Promise<void> {
    const { admin, alice, urls } = cloud;
    const cinder = urls.volumev3.replace('%(project_id)s', alice.projectId);
    const asAdmin = urls.volumev3.replace('%(project_id)s', admin.projectId);
    const version = { 'openstack-api-version': 'volume 3.60' };
    await admin.post(`${asAdmin}/types`, { volume_type: { name: 'fast' } });
    await until(async () => (await admin.get(`${asAdmin}/scheduler-stats/get_pools`)).pools.length > 0);
    const made = async (body: object): Promise<string> => {
      const { volume } = await alice.post(`${cinder}/volumes`, { volume: { volume_type: 'fast', ...body } }, version);
      await until(async () => (await alice.get(`${cinder}/volumes/${volume.id}`)).volume.status === 'available');
      return volume.id;
    };
    const plain = await made({ name: 'vol-plain', size: 1, metadata: { k: 'v' } });
    const attached = await made({ name: 'vol-attached', size: 3 });
    const action = `${asAdmin}/volumes/${attached}/action`;
    await admin.post(action, { 'os-reserve': null });
    const instance = { instance_uuid: '11111111-2222-3333-4444-555555555555', mountpoint: '/dev/vdb', mode: 'rw' };
    await admin.post(action, { 'os-attach': instance });
    for (let number = 3; number <= VOLUMES; number += 1) await made({ name: `volume-${number}`, size: number });
    const snapshot = { name: 'snap-1', volume_id: plain, metadata: { a: 'b' }, description: 'first', force: true };
    const made1 = await alice.post(`${cinder}/snapshots`, { snapshot }, version);
    await until(
      async () => (await alice.get(`${cinder}/snapshots/${made1.snapshot.id}`)).snapshot.status === 'available',
    );
  }

  async function makeFloatingIps(): Promise<void> {
    const { admin, alice, urls } = cloud;
    const neutron = `${urls.network}/v2.0`;
    const { network: ext } = await admin.post(`${neutron}/networks`, {
      network: { name: 'ext', 'router:external': true },
    });
    const subnet = { ip_version: 4, enable_dhcp: false };
    await admin.post(`${neutron}/subnets`, { subnet: { ...subnet, network_id: ext.id, cidr: '203.0.113.0/24' } });
    const { network: own } = await alice.post(`${neutron}/networks`, { network: { name: 'alpha-net' } });
    const { subnet: inner } = await alice.post(`${neutron}/subnets`, {
      subnet: { ...subnet, network_id: own.id, cidr: '10.1.0.0/24' },
    });
    const { router } = await alice.post(`${neutron}/routers`, {
      router: { name: 'alpha-router', external_gateway_info: { network_id: ext.id } },
    });
    await alice.put(`${neutron}/routers/${router.id}/add_router_interface`, JSON.stringify({ subnet_id: inner.id }));
    const { port } = await alice.post(`${neutron}/ports`, { port: { network_id: own.id } });
    for (const port_id of [port.id, null]) {
      await alice.post(`${neutron}/floatingips`, { floatingip: { floating_network_id: ext.id, port_id } });
    }
  }

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (await isSo()) return;
      await sleep(200);
    }
    throw new Error('it never came to that');
  }

  async function poll(): Promise<readonly GoldenSample[]> {
    const polling = join(folder, 'polling.yaml');
    writeFileSync(polling, JSON.stringify({ sources: [{ name: 'all', interval: 300, meters: METERS }] }));
    const file = join(folder, 'ceilometer.conf');
    const credentials = {
      auth_type: 'password',
      auth_url: cloud.keystone,
      username: AGENT,
      password: PASSWORD,
      project_name: 'service',
      user_domain_name: 'Default',
      project_domain_name: 'Default',
      interface: 'internalURL',
      region_name: 'RegionOne',
    };
    const lines = Object.entries(credentials).map(([name, value]) => `${name} = ${value}`);
    writeFileSync(file, `[polling]\ncfg_file = ${polling}\n[service_credentials]\n${lines.join('\n')}\n`);
    const args = ['--config-file', file, '--polling-namespaces', 'central', '--once', '--output', 'jsonl'];
    const { code, stdout, stderr } = await run('polling', args);
    if (code !== 0) throw new Error(`the agent ended with ${code}: ${stderr}`);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  function session(): OpenStackSession {
    const { config } = loadConfig({
      files: [],
      dirs: [],
      env: {},
      overrides: {
        serviceCredentials: {
          authType: 'password',
          authUrl: cloud.keystone,
          username: AGENT,
          password: PASSWORD,
          projectName: 'service',
          userDomainName: 'Default',
          projectDomainName: 'Default',
        },
      },
    });
    const made = createSession(config);
    sessions.push(made);
    return made;
  }

  const of = (meter: string, all: readonly GoldenSample[] = samples) =>
    all.filter(({ counter_name }) => counter_name === meter);

  it.each([
    ['image.size', 'cirros-public'],
    ['image.size', 'private-beta'],
    ['image.size', 'bulk-01'],
    ['volume.size', 'vol-plain'],
    ['volume.size', 'vol-attached'],
    ['volume.snapshot.size', 'snap-1'],
  ])('has of %s the sample of %s that upstream has', (meter, name) => {
    const named = (all: readonly GoldenSample[]) =>
      of(meter, all)
        .filter(({ resource_metadata }) => resource_metadata['name'] === name)
        .map(normalised);

    expect(named(samples)).toHaveLength(1);
    expect(named(samples)).toEqual(named(golden));
  });

  it.each([true, false])('has the samples of floating IPs that upstream has, with a port: %s', (ported) => {
    const down = (all: readonly GoldenSample[]) =>
      of('ip.floating', all)
        .filter(({ resource_metadata: { port_id, status } }) => (port_id !== null) === ported && status === 'DOWN')
        .map(normalised);

    expect(down(samples)).toHaveLength(1);
    expect(down(samples)[0]).toEqual(down(golden)[0]);
  });

  it('has the accounts of all projects, and the containers of the one that has some', () => {
    const { projectId } = cloud.alice;
    const volumes = (meter: string) =>
      Object.fromEntries(of(meter).map(({ resource_id, counter_volume }) => [resource_id, counter_volume]));
    const account = (meter: string) => volumes(meter)[projectId];
    const container = (name: string) => `${projectId}/${name}`;

    expect(Object.keys(volumes('storage.objects'))).toHaveLength(3);
    expect(['', '.size', '.containers'].map((rest) => account(`storage.objects${rest}`))).toEqual([4, 6001, 3]);
    expect(volumes('storage.containers.objects')).toEqual({
      [container('empty')]: 0,
      [container('photos')]: 3,
      [container('sp ace-ü')]: 1,
    });
    expect(volumes('storage.containers.objects.size')).toMatchObject({ [container('photos')]: 6000 });
    expect(of('storage.objects').map(normalised)[0]).toMatchObject({
      ...normalised(of('storage.objects', golden)[0]),
      counter_volume: expect.any(Number),
    });
  });

  it('has every volume and image over the pages that the services cut, but those without a size', () => {
    expect(of('volume.size')).toHaveLength(VOLUMES);
    expect(of('image.size')).toHaveLength(IMAGES - 1);
    expect(new Set(of('volume.size').map(({ resource_id }) => resource_id)).size).toBe(VOLUMES);
  });

  it('has the health of the services of Cinder, and the capacity of its pools where it is a number', () => {
    const health = of('volume.service.health').map(({ resource_id, counter_volume }) => [resource_id, counter_volume]);

    expect(health.sort()).toEqual([
      ['cinder-scheduler@testhost', 1],
      ['cinder-volume@testhost@fast', 1],
    ]);
    expect(of('volume.provider.pool.capacity.allocated').map(({ resource_id }) => resource_id)).toEqual([
      expect.stringMatching(/^testhost@fast#/),
    ]);
  });

  it('follows the pages of Glance, which gives fewer than were asked for', async () => {
    const image = session().service('image', { version: 'v2' });

    const pages = await collectPages(image.pages('/images', 'images', { query: { limit: '1000' }, signal: signal() }));

    expect(pages.map((page) => page.length)).toEqual([GLANCE_PAGE, GLANCE_PAGE, 1]);
    expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(IMAGES);
  });

  it('follows the pages of Cinder', async () => {
    const volume = session().service('volumev3');

    const query = { all_tenants: 'True' };
    const pages = await collectPages(volume.pages('/volumes/detail', 'volumes', { query, signal: signal() }));

    expect(pages.map((page) => page.length)).toEqual([CINDER_PAGE, CINDER_PAGE, 1]);
  });

  it('knows the markers of Swift: what comes after a name, and how many there are in all', async () => {
    const swift = session().service('object-store');
    const url = cloud.urls['object-store'].replace('%(project_id)s', cloud.alice.projectId);

    const query = { format: 'json', marker: 'empty' };
    const { headers, text } = await swift.request('GET', url, { query, signal: signal() });

    expect(JSON.parse(text).map(({ name }: { name: string }) => name)).toEqual(['photos', 'sp ace-ü']);
    expect(headers['x-account-container-count']).toBe('3');
  });
});

const ID = /\b[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\b/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?/g;

/** A sample without what is another at each run: ids, times, addresses, where Cinder put a volume. */
function normalised(sample: GoldenSample | undefined): object {
  const own = new Set(['message_id', 'message_signature', 'monotonic_time', 'timestamp']);
  const rest = Object.fromEntries(Object.entries(sample ?? {}).filter(([name]) => !own.has(name)));
  const text = JSON.stringify(rest, (key, value) => {
    if (key === 'tags') return [...value].sort();
    if (key === 'os-vol-host-attr:host') return String(value).replace(/.*/, 'HOST');
    if (key === 'floating_ip_address' || key === 'fixed_ip_address') return value === null ? null : 'ADDRESS';
    return value;
  });
  return JSON.parse(text.replaceAll(ID, 'ID').replaceAll(TIME, 'TIME'));
}
