import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import compute from '../../../../src/pollsters/compute/index.ts';
import { inTurn, json } from '../../../helpers/fake-openstack.ts';
import { domainOf, statsOf } from '../domains.ts';
import { cycle, fakeHypervisor, load } from '../support.ts';
import { discoverer, flavorRoute, hostIn, imageRoute, novaWith, SERVERS, serverOf } from './support.ts';

interface Recorded {
  readonly servers: readonly { readonly id: string }[];
  readonly flavors: Readonly<Record<string, unknown>>;
  readonly images: Readonly<Record<string, unknown>>;
  readonly requests: readonly (readonly [string, string, Readonly<Record<string, string>>])[];
  readonly samples: readonly {
    readonly resource_id: string;
    readonly user_id: string;
    readonly project_id: string;
    readonly resource_metadata: Readonly<Record<string, unknown>>;
  }[];
}

const naive = (more = {}) => ({ compute: { instanceDiscoveryMethod: 'naive', ...more } }) as const;
const fine = { ...flavorRoute, ...imageRoute };

describe('the discovery method naive', () => {
  const recorded: Recorded = JSON.parse(
    readFileSync(new URL('../../../fixtures/openstack/naive.json', import.meta.url), 'utf8'),
  );

  /** Answers as the server did that upstream was recorded with. */
  async function recordedNova() {
    const cloud = await novaWith({ [SERVERS]: json({ servers: recorded.servers }) });
    for (const [id, flavor] of Object.entries(recorded.flavors)) {
      cloud.routes.set(`/compute/v2.1/flavors/${id}`, json({ flavor }));
    }
    // Whole numbers beyond 2^53 stand in the file as they are.
    const text = readFileSync(new URL('../../../fixtures/openstack/naive.json', import.meta.url), 'utf8');
    for (const [id, image] of Object.entries(recorded.images)) {
      const size = /"size": (\d{16,})/.exec(text)?.[1] ?? '';
      cloud.routes.set(`/image/v2/images/${id}`, json(JSON.stringify(image).replace(/("size":)\d{16,}/, `$1${size}`)));
    }
    return cloud;
  }

  it.each(recorded.samples)(
    'gives $resource_id the ids and metadata that upstream gave it, field by field',
    async (expected) => {
      const cloud = await recordedNova();
      const hypervisor = fakeHypervisor();
      const { resource_id: uuid } = expected;
      const name = String(expected.resource_metadata['name']);
      hypervisor.domains = [domainOf({ uuid, name, metadata: '' })];
      hypervisor.stats.set(uuid, statsOf());
      const host = hostIn(cloud, hypervisor, { ...naive(), default: { reservedMetadataKeys: ['team'] } });
      const plugin = await load(compute, host);

      const [reading] = await plugin.poll(cycle(host), ['power.state']);

      expect(reading).toMatchObject({ resourceId: uuid, userId: expected.user_id, projectId: expected.project_id });
      // What the SDK says of itself is left out: docs/upstream-differences.md.
      const { image_meta: image, ...rest } = expected.resource_metadata;
      const { location: _, ...imageMeta } = { ...(image as Record<string, unknown>) };
      const metadata = image === undefined ? rest : { ...rest, image_meta: imageMeta };
      expect(reading?.metadata).toEqual(metadata);
      const order = Object.keys(expected.resource_metadata);
      expect(Object.keys(reading?.metadata ?? {})).toEqual(order);
      expect(Object.keys((reading?.metadata?.['image_meta'] as object | undefined) ?? {})).toEqual(
        Object.keys(imageMeta),
      );
      expect(Object.keys((reading?.metadata?.['flavor'] as object | undefined) ?? {})).toEqual(
        Object.keys(expected.resource_metadata['flavor'] as object),
      );
    },
  );

  it('asks what upstream asks, each flavor and image once', async () => {
    const cloud = await recordedNova();
    const discover = await discoverer(hostIn(cloud, fakeHypervisor(), naive()));

    await discover();

    const asked = cloud.asked.map(({ path }) => path).sort();
    expect(asked).toEqual(recorded.requests.map(([, path]) => path).sort());
    const versions = cloud.asked.map(({ headers }) => headers['x-openstack-nova-api-version']);
    expect(new Set(versions)).toEqual(new Set(['2.1', undefined]));
  });

  it('leaves out servers in error or deleted, and domains that Nova does not know', async () => {
    const gone = serverOf('b', { 'OS-EXT-STS:vm_state': 'error' });
    const cloud = await novaWith({ ...fine, [SERVERS]: json({ servers: [serverOf('a'), gone] }) });
    const hypervisor = fakeHypervisor();
    hypervisor.domains = ['a', 'b', 'c'].map((uuid) => domainOf({ uuid }));
    const discover = await discoverer(hostIn(cloud, hypervisor, naive()));

    expect((await discover()).map(({ id }) => id)).toEqual(['a']);
  });

  it('polls a server only where its domain is, and all meters of it', async () => {
    const cloud = await novaWith({ ...fine, [SERVERS]: json({ servers: [serverOf('a'), serverOf('elsewhere')] }) });
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ uuid: 'a' })];
    hypervisor.stats.set('a', statsOf());
    const host = hostIn(cloud, hypervisor, naive());
    const plugin = await load(compute, host);

    const polled = await plugin.poll(cycle(host), [
      'cpu',
      'disk.root.size',
      'network.incoming.bytes',
      'disk.device.read.bytes',
    ]);

    expect(polled.map(({ meter, resourceId, volume }) => [meter.name, resourceId, volume])).toEqual([
      ['cpu', 'a', 330n],
      ['disk.root.size', 'a', 9],
      ['network.incoming.bytes', 'instance-1-a-tap1', 1000n],
      ['disk.device.read.bytes', 'a-vda', 12n],
    ]);
    expect(polled[2]?.metadata).toMatchObject({ display_name: 'server a', name: 'tap1', vnic_name: 'tap1' });
  });

  it('reads all pages of the servers', async () => {
    const more = { servers: [serverOf('a')], servers_links: [{ rel: 'next', href: 'http://x/servers?marker=a' }] };
    const cloud = await novaWith({ ...fine, [SERVERS]: inTurn(json(more), json({ servers: [serverOf('b')] })) });
    const hypervisor = fakeHypervisor();
    hypervisor.domains = ['a', 'b'].map((uuid) => domainOf({ uuid }));
    const discover = await discoverer(hostIn(cloud, hypervisor, naive()));

    expect((await discover()).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('describes what Nova cannot be asked about as libvirt has it, and says so once', async () => {
    const cloud = await novaWith({ [SERVERS]: json({}, 500) });
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ uuid: 'a' })];
    const host = hostIn(cloud, hypervisor, naive());
    const discover = await discoverer(host);

    const found = [await discover(), await discover()];

    expect(found.map((instances) => instances.map(({ nova }) => nova.name))).toEqual([['web'], ['web']]);
    expect(host.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { service: 'nova', reason: 'compute GET /compute/v2.1/servers/detail answered 500' } },
    ]);
  });

  it('goes on with the servers that Nova told of before it went away, and with domains that came since', async () => {
    const cloud = await novaWith({ ...fine, [SERVERS]: inTurn(json({ servers: [serverOf('a')] }), json({}, 500)) });
    const hypervisor = fakeHypervisor();
    hypervisor.domains = ['a', 'foreign'].map((uuid) => domainOf({ uuid }));
    const host = hostIn(cloud, hypervisor, naive());
    const discover = await discoverer(host);

    await discover();
    hypervisor.domains = [...hypervisor.domains, domainOf({ uuid: 'new' })];
    const found = await discover();

    expect(found.map(({ id, nova }) => [id, nova.name])).toEqual([
      ['a', 'server a'],
      ['new', 'web'],
    ]);
  });

  it('tells when Nova is back', async () => {
    const cloud = await novaWith({ ...fine, [SERVERS]: inTurn(json({}, 500), json({ servers: [serverOf('a')] })) });
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ uuid: 'a' })];
    const host = hostIn(cloud, hypervisor, naive());
    const discover = await discoverer(host);

    await discover();
    await discover();
    while (host.lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const [instance] = await discover();

    expect(instance?.nova.name).toBe('server a');
    expect(host.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'service does not answer'],
      ['info', 'service answers again'],
    ]);
  });

  it('does not tell sizes of a flavor that it could not ask for, and asks again', async () => {
    const flavor = flavorRoute['/compute/v2.1/flavors/flavor-1'];
    const cloud = await novaWith({
      ...imageRoute,
      '/compute/v2.1/flavors/flavor-1': inTurn(json({}, 500), flavor),
      [SERVERS]: inTurn(json({ servers: [serverOf('a')] }), json({ servers: [] })),
    });
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ uuid: 'a' })];
    const host = hostIn(cloud, hypervisor, naive());
    const discover = await discoverer(host);

    const [before] = await discover();
    await discover();
    while (host.lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const [after] = await discover();

    expect([before?.nova.name, after?.nova.name]).toEqual(['web', 'server a']);
    expect(after?.nova.flavor).toMatchObject({ name: 'm1', disk: 10 });
  });

  it.each([
    ['is away', json({}, 500), 'unknown-id-image-1'],
    ['does not show it', json({}, 403), 'unknown-id-image-1'],
  ])('goes on without the image when Glance %s', async (_what, answer, name) => {
    const cloud = await novaWith({
      ...flavorRoute,
      '/image/v2/images/image-1': answer,
      [SERVERS]: json({ servers: [serverOf('a')] }),
    });
    const hypervisor = fakeHypervisor();
    hypervisor.domains = [domainOf({ uuid: 'a' })];
    const discover = await discoverer(hostIn(cloud, hypervisor, naive()));

    const [instance] = await discover();

    expect(instance?.resources(1).whole.metadata['image']).toEqual({ id: 'image-1', links: [], name });
  });

  it('needs credentials', async () => {
    const { fakeHost } = await import('../../../../src/testing.ts');
    const { createHost } = await import('../../../../src/agent/host.ts');
    const { config, log } = fakeHost({ options: naive() });

    await expect(discoverer({ ...createHost(config, log), lines: [] })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: '[service_credentials] auth_type is not set, OpenStack cannot be asked',
    });
  });
});
