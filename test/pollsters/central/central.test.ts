import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eachReading } from '../../../src/agent/readings.ts';
import type { Reading } from '../../../src/plugin.ts';
import { stringifyJson } from '../../../src/wire/json.ts';
import { collectPages } from '../../helpers/collect-pages.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type Answer, json } from '../../helpers/fake-openstack.ts';
import { cloudWith } from '../../openstack/support.ts';
import { type Agent, agentOf } from './support.ts';

const CATALOGUE = [
  'image',
  'volumev3',
  'network',
  'dns',
  'sharev2',
  'object-store',
  'alarming',
  'load-balancer',
  'rgw',
].map((type) => ({
  type,
  url: `/${type}`,
}));

/** An agent of a cloud with these answers. */
async function agentWith(
  routes: Readonly<Record<string, Answer>>,
  options: Parameters<typeof agentOf>[1] = {},
): Promise<Agent> {
  const cloud = await cloudWith(routes);
  cloud.catalogue = [...CATALOGUE, { type: 'identity', url: '/v3' }];
  return agentOf(cloud, options);
}

function projects(...ids: readonly string[]): Record<string, Answer> {
  return {
    '/v3/domains': json({ domains: [{ id: 'd' }] }),
    '/v3/projects': json({ projects: ids.map((id) => ({ id })) }),
  };
}

const warnings = ({ host }: Agent) => host.lines.filter(({ level }) => level === 'warn');
const resourceIds = (samples: readonly { resourceId: string }[]) => samples.map(({ resourceId }) => resourceId);

describe('a service that the catalogue does not have', () => {
  it('is warned of once, has no samples, and is found when it comes', async () => {
    const agent = await agentWith({ '/image/v2/images': json({ images: [{ id: 'i', size: 1 }] }) });
    const all = agent.cloud.catalogue;
    agent.cloud.catalogue = [];

    const before = [await agent.poll('image.size'), await agent.poll('image.size')];
    agent.cloud.catalogue = all;
    agent.clock.time += 600_000;
    const after = await agent.poll('image.size');

    expect(before).toEqual([[], []]);
    expect(warnings(agent)).toHaveLength(1);
    expect(warnings(agent)[0]).toMatchObject({ fields: { discovery: 'images' } });
    expect(after).toHaveLength(1);
  });

  it('is no service at all where there are no credentials', async () => {
    const { loadRegistry } = await import('../../../src/agent/registry.ts');
    const { ConfigError } = await import('../../../src/errors.ts');
    const { fakeHost, pollContext } = await import('../../../src/testing.ts');
    const host = fakeHost();
    const bare = {
      ...host,
      openstack() {
        throw new ConfigError('there are no credentials');
      },
    };

    const { discoveries } = await loadRegistry({ namespaces: ['central'], plugins: [] }, bare);
    const found = await Promise.all(discoveries.map(({ discovery }) => discovery.discover(undefined, pollContext())));

    expect(found.flat()).toEqual([]);
    expect(host.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message)).toEqual([
      '[service_credentials] are not set, the namespace central polls nothing',
    ]);
  });
});

describe('a list', () => {
  it('that cannot be had is a failure, not an empty one', async () => {
    const agent = await agentWith({ '/image/v2/images': json({}, 500), '/volumev3/volumes/detail': json({}, 403) });

    await expect(agent.poll('image.size')).rejects.toThrow('discovery images failed: image GET /image/v2/images');
    await expect(agent.poll('volume.size')).rejects.toThrow('answered 403');
    await expect(agent.poll('volume.snapshot.size')).rejects.toThrow('answered 404');
  });

  it('of an API that a service lacks is empty, and told of once', async () => {
    const agent = await agentWith({});

    const samples = [await agent.poll('network.services.vpn'), await agent.poll('network.services.vpn')];

    expect(samples).toEqual([[], []]);
    expect(warnings(agent)).toHaveLength(1);
  });

  it('feeds all of its meters by one request, however many there are', async () => {
    const zone = { id: 'z', status: 'ACTIVE', ttl: 60, serial: 7, project_id: 'p' };
    const agent = await agentWith({ '/dns/v2/zones': json({ zones: [zone] }) });
    const ctx = agent.cycle();

    const samples = [];
    for (const name of ['status', 'ttl', 'serial']) samples.push(...(await agent.poll(`dns.zone.${name}`, ctx)));

    expect(samples.map(({ name, volume }) => [name, volume])).toEqual([
      ['dns.zone.status', 1n],
      ['dns.zone.ttl', 60n],
      ['dns.zone.serial', 7n],
    ]);
    expect(agent.cloud.asked).toHaveLength(1);
  });

  it('loses no entry for what it lacks, and keeps one that is listed on two pages once', async () => {
    const links = [{ rel: 'next', href: 'http://elsewhere/?marker=a' }];
    const agent = await agentWith({
      '/volumev3/volumes/detail': ({ path }, response) => {
        const first = { volumes: [{ id: 'a', size: 1 }, { size: 5 }], volumes_links: links };
        const last = {
          volumes: [
            { id: 'a', size: 1 },
            { id: 'b', size: '2' },
          ],
        };
        response.end(JSON.stringify(path.includes('marker') ? last : first));
      },
    });

    const samples = await agent.poll('volume.size');

    expect(samples.map(({ resourceId, volume }) => [resourceId, volume])).toEqual([
      ['a', 1n],
      ['b', 2n],
    ]);
    expect(samples[0]).toMatchObject({ projectId: null, metadata: { status: null, instance_id: null } });
  });
});

describe('a value', () => {
  it('beyond 2^53 is exact', async () => {
    const agent = await agentWith({
      '/image/v2/images': json('{"images": [{"id": "i", "size": 9223372036854775807}]}'),
    });

    const samples = await agent.poll('image.size');

    expect(samples.map(({ volume }) => volume)).toEqual([9223372036854775807n]);
  });

  it('that is a whole float stays one, in metadata, too', async () => {
    const pool =
      '{"name": "p", "capabilities": {"pool_name": [1.0, 1], "total_capacity_gb": 100.0, "free_capacity_gb": 100}}';
    const agent = await agentWith({ '/volumev3/scheduler-stats/get_pools': json(`{"pools": [${pool}]}`) });

    const [total] = await agent.poll('volume.provider.pool.capacity.total');
    const [free] = await agent.poll('volume.provider.pool.capacity.free');

    expect([total?.volume, free?.volume]).toEqual([100, 100n]);
    expect(stringifyJson(total?.metadata ?? null)).toBe('{"pool_name": [1.0, 1]}');
  });

  it('of another type than it should be is what it is to openstacksdk', async () => {
    const zone = { id: 'z', ttl: 'soon', serial: 7.5 };
    const agent = await agentWith({ '/dns/v2/zones': json({ zones: [zone] }) });

    const [ttl] = await agent.poll('dns.zone.ttl');
    const [serial] = await agent.poll('dns.zone.serial');

    expect([ttl?.volume, serial?.volume]).toEqual([0n, 7n]);
    expect(ttl?.metadata).toMatchObject({ ttl: 0, serial: 7n });
  });

  it('of a project that is empty stays so', async () => {
    const agent = await agentWith({
      '/network/v2.0/floatingips': json({ floatingips: [{ id: 'f', tenant_id: '', status: 'DOWN' }] }),
    });

    const [sample] = await agent.poll('ip.floating');

    expect(sample?.projectId).toBe('');
  });

  it('of an alarm is there for each state that Aodh counts', async () => {
    const counters = { ok: 2, 'insufficient data': 0, flapping: 1.5 };
    const result = { alarm_id: 'a', project_id: 'p', state_counters: counters };
    const agent = await agentWith({ '/alarming/v2/metrics': json({ evaluation_results: [result] }) });

    const samples = await agent.poll('alarm.evaluation_result');

    expect(samples.map(({ metadata, volume }) => [metadata['alarm_state'], volume])).toEqual([
      ['ok', 2n],
      ['insufficient data', 0n],
      ['flapping', 1n],
    ]);
  });

  it('that is no number gives no sample, and the rest of the pools have theirs', async () => {
    const pools = ['infinite', 'unknown', null, 12.5].map((total_capacity_gb, at) => ({
      name: `pool-${at}`,
      capabilities: { total_capacity_gb, provisioned_capacity_gb: 1, reserved_percentage: 10 },
    }));
    const agent = await agentWith({ '/volumev3/scheduler-stats/get_pools': json({ pools }) });

    const totals = await agent.poll('volume.provider.pool.capacity.total');
    const free = await agent.poll('volume.provider.pool.capacity.virtual_free');

    expect(totals.map(({ volume }) => volume)).toEqual([12.5]);
    expect(free.map(({ volume }) => volume)).toEqual([10.5]);
  });

  it('of a status that nobody knows is -1, and told of once', async () => {
    const states = ['up', 'DOWN', 'sideways', undefined];
    const services = states.map((state, at) => ({ binary: 'b', host: `h${at}`, state }));
    const agent = await agentWith({ '/volumev3/os-services': json({ services }) });

    const samples = await agent.poll('volume.service.health');
    await agent.poll('volume.service.health');

    expect(samples.map(({ volume }) => volume)).toEqual([1n, 0n, -1n, -1n]);
    expect(warnings(agent).map(({ fields }) => fields)).toEqual([
      { pollster: 'volume.service.health', status: 'sideways' },
      { pollster: 'volume.service.health', status: '' },
    ]);
  });

  it.each([
    [false, '***'],
    [true, 'very secret'],
  ])('that is a secret goes out only where the operator says so (%s)', async (includeVpnSecrets, psk) => {
    const path = '/network/v2.0/vpn/ipsec-site-connections';
    const agent = await agentWith(
      { [path]: json({ ipsec_site_connections: [{ id: 'c', psk: 'very secret' }] }) },
      { polling: { includeVpnSecrets } },
    );

    const [sample] = await agent.poll('network.services.vpn.connections');

    expect(sample?.metadata['psk']).toBe(psk);
  });
});

describe('what is asked about one by one', () => {
  it('costs only itself when it has vanished', async () => {
    const agent = await agentWith({
      '/dns/v2/zones': json({ zones: ['a', 'gone', 'b'].map((id) => ({ id })) }),
      '/dns/v2/zones/a/recordsets': json({ recordsets: [{}], metadata: { total_count: 3 } }),
      '/dns/v2/zones/b/recordsets': json({ recordsets: [{}, {}] }),
    });

    const samples = await agent.poll('dns.zone.recordsets');

    expect(samples.map(({ resourceId, volume }) => [resourceId, volume])).toEqual([
      ['a', 3n],
      ['b', 2n],
    ]);
    expect(warnings(agent)).toEqual([]);
  });

  it('costs only itself when it may not be seen, with one warning', async () => {
    const account = json('', 200, { 'x-account-object-count': '4' });
    const agent = await agentWith({
      ...projects('a', 'b', 'c'),
      '/object-store/v1/AUTH_a': account,
      '/object-store/v1/AUTH_b': json('', 403),
      '/object-store/v1/AUTH_c': account,
    });

    const samples = [await agent.poll('storage.objects'), await agent.poll('storage.objects')];

    expect(samples.map(resourceIds)).toEqual([
      ['a', 'c'],
      ['a', 'c'],
    ]);
    expect(warnings(agent)).toHaveLength(1);
    expect(warnings(agent)[0]).toMatchObject({ fields: { resources: 1, first: 'b' } });
  });

  it('costs only itself when it fails, and the failure is told', async () => {
    const account = json('', 200, { 'x-account-bytes-used': '4' });
    const agent = await agentWith({
      ...projects('a', 'b', 'c'),
      '/object-store/v1/AUTH_a': account,
      '/object-store/v1/AUTH_b': json('', 500),
      '/object-store/v1/AUTH_c': account,
    });
    const { pollster } = agent.registry.pollsters.find(({ name }) => name === 'storage.objects.size') ?? {};
    const seen: string[] = [];

    const work = async () => {
      const resources = ['a', 'b', 'c'].map((id) => ({ id }));
      const readings = (await pollster?.poll(resources, agent.cycle())) ?? [];
      for await (const { resourceId } of eachReading(readings)) seen.push(resourceId);
    };

    await expect(work()).rejects.toThrow('accounts of Swift: 1 of 3 failed, first: object-store HEAD');
    expect(seen).toEqual(['a', 'c']);
  });

  it('is not asked about to the end when nobody answers', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => `p${at}`);
    const agent = await agentWith(projects(...ids));
    for (const id of ids) agent.cloud.routes.set(`/object-store/v1/AUTH_${id}`, json('', 500));

    await expect(agent.poll('storage.objects')).rejects.toThrow('answered 500');
    expect(agent.cloud.asked.length).toBeLessThan(30);
  });
});

describe('an account of Swift', () => {
  it('has the containers of all its pages, which are fetched once for both meters', async () => {
    const names = ['a', 'b', 'c', 'd', 'ü/x'];
    const agent = await agentWith({
      ...projects('p'),
      '/object-store/v1/AUTH_p': ({ path }, response) => {
        const marker = new URL(path, 'http://localhost').searchParams.get('marker') ?? '';
        const page = names.filter((name) => name > marker).slice(0, 2);
        response.writeHead(200, { 'x-account-container-count': names.length });
        response.end(JSON.stringify(page.map((name) => ({ name, count: 1, bytes: 10 }))));
      },
    });
    const ctx = agent.cycle();

    const counts = await agent.poll('storage.containers.objects', ctx);
    const sizes = await agent.poll('storage.containers.objects.size', ctx);

    expect(resourceIds(counts)).toEqual(names.map((name) => `p/${name}`));
    expect(resourceIds(sizes)).toEqual(resourceIds(counts));
    expect(agent.cloud.asked.filter(({ path }) => path.includes('AUTH_p'))).toHaveLength(3);
  });

  it('whose pages go round in a circle is given up', async () => {
    const agent = await agentWith({
      ...projects('p'),
      '/object-store/v1/AUTH_p': json([{ name: 'a', count: 1, bytes: 2 }]),
    });

    await expect(agent.poll('storage.containers.objects')).rejects.toThrow('containers of p go round in a circle');
    expect(agent.cloud.asked.filter(({ path }) => path.includes('AUTH_p'))).toHaveLength(2);
  });

  it('is asked for no page before both meters have read the ones before', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
    const agent = await agentWith({
      ...projects('p'),
      '/object-store/v1/AUTH_p': ({ path }, response) => {
        const marker = new URL(path, 'http://localhost').searchParams.get('marker') ?? '';
        const page = names.slice(names.indexOf(marker) + 1).slice(0, 2);
        response.writeHead(200, { 'x-account-container-count': names.length });
        response.end(JSON.stringify(page.map((name) => ({ name, count: 1, bytes: 10 }))));
      },
    });
    const ctx = { ...agent.cycle(), readers: 2 };
    const asked = () => agent.cloud.asked.filter(({ path }) => path.includes('AUTH_p')).length;
    const slow = agent.registry.pollsters.find(({ name }) => name === 'storage.containers.objects.size')?.pollster;
    const readings = (await slow?.poll([{ id: 'p' }], ctx)) as AsyncGenerator<Reading>;
    await readings.next();

    const counts = agent.poll('storage.containers.objects', ctx);
    await eventually(asked).toBe(2);
    await sleep(200);
    const heldUp = asked();
    const sizes = [1, ...(await collectPages(readings)).map(() => 1)];

    expect(heldUp).toBe(2);
    expect([(await counts).length, sizes.length, asked()]).toEqual([40, 40, 20]);
  });
});

describe('a RADOS gateway', () => {
  const gateway = { serviceTypes: { radosgw: 'rgw' }, rgwAdminCredentials: { accessKey: 'a', secretKey: 's' } };

  it('knows nothing of projects that never used it', async () => {
    const agent = await agentWith(
      {
        ...projects('used', 'unused'),
        '/admin/bucket': ({ path }, response) => {
          if (path.includes('unused')) response.statusCode = 404;
          const usage = { 'rgw.main': { num_objects: 2, size_kb: 0 } };
          response.end(path.includes('unused') ? '{}' : JSON.stringify([{ bucket: 'b', usage }]));
        },
      },
      gateway,
    );
    agent.cloud.tokenless.add('/admin/bucket');

    const samples = await agent.poll('radosgw.objects');

    expect(samples.map(({ resourceId, volume }) => [resourceId, volume])).toEqual([['used', 2n]]);
    expect(warnings(agent)).toEqual([]);
  });

  it('is asked for the user of the project’s own tenant where there are implicit tenants', async () => {
    const agent = await agentWith(
      { ...projects('p'), '/admin/usage': json({ summary: [{ total: { ops: 3 } }] }) },
      { ...gateway, rgwClient: { implicitTenants: true } },
    );
    agent.cloud.tokenless.add('/admin/usage');

    const samples = await agent.poll('radosgw.usage');

    expect(samples).toMatchObject([{ name: 'radosgw.api.request', volume: 3n, resourceId: 'p' }]);
    expect(agent.cloud.asked.at(-1)?.path).toBe('/admin/usage?uid=p%24p');
  });

  it('may hold more than 2^53 bytes', async () => {
    const answer = '[{"bucket": "b", "usage": {"rgw.main": {"num_objects": 1, "size_kb": 9007199254740993}}}]';
    const agent = await agentWith({ ...projects('p'), '/admin/bucket': json(answer) }, gateway);
    agent.cloud.tokenless.add('/admin/bucket');

    const samples = await agent.poll('radosgw.objects.size');

    expect(samples.map(({ volume }) => volume)).toEqual([9007199254740993n * 1024n]);
  });

  it('is asked within the budget of a service', async () => {
    let [underWay, most] = [0, 0];
    const agent = await agentWith(
      {
        ...projects('a', 'b', 'c', 'd', 'e'),
        async '/admin/bucket'(asked, response) {
          underWay += 1;
          most = Math.max(most, underWay);
          await sleep(20);
          underWay -= 1;
          return json([])(asked, response);
        },
      },
      { ...gateway, polling: { maxRequestsInFlight: 2 } },
    );
    agent.cloud.tokenless.add('/admin/bucket');

    await agent.poll('radosgw.objects');

    expect(most).toBe(2);
    expect(agent.host.budget.use()).toMatchObject([{ service: 'rgw', requests: 5, waits: 3, inFlightLimit: 2 }]);
  });

  it('is not asked where none is configured, and where its keys are not', async () => {
    const unset = await agentWith(projects('p'));
    const keyless = await agentWith(projects('p'), { serviceTypes: { radosgw: 'rgw' } });

    const samples = [await unset.poll('radosgw.objects'), await keyless.poll('radosgw.objects')];

    expect(samples).toEqual([[], []]);
    expect(warnings(unset)).toEqual([]);
    expect(warnings(keyless)).toHaveLength(1);
  });
});

describe('projects', () => {
  it('are those of all domains', async () => {
    const agent = await agentWith({
      '/v3/domains': json({ domains: [{ id: 'x' }, { id: 'y' }] }),
      '/v3/projects': ({ path }, response) => {
        response.end(JSON.stringify({ projects: [{ id: path.includes('=x') ? '1' : '2' }] }));
      },
    });

    const found = await discover(agent, 'tenant');

    expect(found).toEqual(['1', '2']);
  });

  it('that are disabled are left out by Keystone, and so are disabled domains', async () => {
    const agent = await agentWith(projects('p'), { polling: { ignoreDisabledProjects: true } });

    await discover(agent, 'tenant');

    expect(agent.cloud.asked.map(({ path }) => path)).toEqual([
      '/v3/domains?enabled=True',
      '/v3/projects?domain_id=d&enabled=True',
    ]);
  });
});

describe('endpoints', () => {
  it('are those of one type, or all', async () => {
    const agent = await agentWith({});

    const [images, all, none] = [
      await discover(agent, 'endpoint', 'image'),
      await discover(agent, 'endpoint'),
      await discover(agent, 'endpoint', 'nothing'),
    ];

    expect(images).toEqual([`${agent.cloud.url}/image`]);
    expect(all).toHaveLength(CATALOGUE.length + 1);
    expect(none).toEqual([]);
    expect(warnings(agent)).toMatchObject([{ fields: { serviceType: 'nothing' } }]);
  });
});

describe('a resource that another discovery found', () => {
  it('is refused by name', async () => {
    const agent = await agentWith({});
    const { pollster } = agent.registry.pollsters.find(({ name }) => name === 'image.size') ?? {};

    const work = () => [...((pollster?.poll([{ id: 'x' }], agent.cycle()) ?? []) as Iterable<unknown>)];

    expect(work).toThrow('image.size is read from what the discovery images finds, not from x');
  });
});

async function discover(agent: Agent, name: string, parameter?: string): Promise<string[]> {
  const found = agent.registry.discoveries.find((one) => one.name === name);
  return ((await found?.discovery.discover(parameter, agent.cycle())) ?? []).map(({ id }) => id);
}
