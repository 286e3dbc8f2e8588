import { describe, expect, it } from 'vitest';
import { createLibvirtSource } from '../../../../src/pollsters/compute/libvirt-source.ts';
import { createNovaLookup } from '../../../../src/pollsters/compute/nova/lookup.ts';
import { fakeHost } from '../../../../src/testing.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { type FakeCloud, inTurn, json } from '../../../helpers/fake-openstack.ts';
import { domainOf, novaXml } from '../domains.ts';
import { cycle, type FakeHost, fakeHypervisor } from '../support.ts';
import { hostIn, novaWith, paths, serverOf } from './support.ts';

const FLAVORS = '/compute/v2.1/flavors';
const domain = (uuid: string, flavor: string) =>
  domainOf({ uuid, metadata: novaXml({ flavor: `<n:flavor ${flavor}/>` }) });

/** Discovers again and again, as cycles do. */
function sourceOf(host: FakeHost) {
  const clock = new FakeClock(0);
  const source = createLibvirtSource(host, createNovaLookup(host, clock));
  async function find(domains: readonly ReturnType<typeof domain>[]) {
    return (await source.find(domains, cycle(host))).map((instance) => instance.resources(1).whole.metadata);
  }
  return { clock, find, source };
}

async function flavorIds(cloud: FakeCloud, domains: readonly ReturnType<typeof domain>[]) {
  const { find } = sourceOf(hostIn(cloud, fakeHypervisor()));
  return (await find(domains)).map(({ flavor }) => Reflect.get(Object(flavor), 'id'));
}

describe('flavor ids', () => {
  it('that libvirt has not are asked for by name, all in one', async () => {
    const page = { flavors: [{ name: 'b', id: '2' }], flavors_links: [{ rel: 'next', href: `${FLAVORS}?marker=2` }] };
    const cloud = await novaWith({ [FLAVORS]: inTurn(json(page), json({ flavors: [{ name: 'c', id: '3' }] })) });

    const ids = await flavorIds(cloud, [
      domain('x', 'name="a" id="1"'),
      domain('y', 'name="b"'),
      domain('z', 'name="c"'),
    ]);

    expect(ids).toEqual(['1', '2', '3']);
    expect(paths(cloud)).toEqual(['flavors?is_public=None', 'flavors?marker=2']);
  });

  it('are not asked for when libvirt has them', async () => {
    const cloud = await novaWith();

    const ids = await flavorIds(cloud, [domain('x', 'name="a" id="1"')]);

    expect(ids).toEqual(['1']);
    expect([cloud.logins, cloud.asked]).toEqual([[], []]);
  });

  it('of flavors that Nova does not know are their names; it is asked again after a while', async () => {
    const cloud = await novaWith({
      [FLAVORS]: inTurn(json({ flavors: [] }), json({ flavors: [{ name: 'a', id: '1' }] })),
    });
    const { clock, find } = sourceOf(hostIn(cloud, fakeHypervisor()));
    const domains = [domain('x', 'name="a"')];
    const ids: unknown[] = [];

    for (const pause of [0, 59_000, 1000]) {
      await clock.pass(pause);
      ids.push((await find(domains))[0]?.['flavor']);
    }

    expect(ids).toMatchObject([{ id: 'a' }, { id: 'a' }, { id: '1' }]);
    expect(cloud.asked).toHaveLength(2);
  });

  it('are the names while Nova is away, which the log tells once, and the ids when it is back', async () => {
    const cloud = await novaWith({ [FLAVORS]: inTurn(json({}, 500), json({ flavors: [{ name: 'a', id: '1' }] })) });
    const host = hostIn(cloud, fakeHypervisor());
    const { clock, find } = sourceOf(host);
    const domains = [domain('x', 'name="a"')];

    const away = [await find(domains), await find(domains)];
    await clock.pass(60_000);
    await find(domains);
    while (host.lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const back = await find(domains);

    expect([...away, back].map(([base]) => base?.['flavor'])).toMatchObject([{ id: 'a' }, { id: 'a' }, { id: '1' }]);
    expect(host.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'service does not answer'],
      ['info', 'service answers again'],
    ]);
    expect(cloud.asked).toHaveLength(2);
  });

  it('are the names where there are no credentials', async () => {
    const host = fakeHost();
    const broken = {
      ...host,
      openstack: () => {
        throw new Error('auth_type is not set');
      },
    };
    const { find } = sourceOf(broken);

    const [base] = await find([domain('x', 'name="a"')]);

    expect(base?.['flavor']).toMatchObject({ id: 'a' });
    expect(host.lines).toMatchObject([{ level: 'warn', fields: { reason: 'auth_type is not set' } }]);
  });
});

describe('extra metadata', () => {
  const extra = { compute: { fetchExtraMetadata: true } };
  const server = (id: string, metadata: object) => json({ server: serverOf(id, { metadata, flavor: { id: 'f' } }) });

  it('is fetched once per instance, and its metering part is in the samples', async () => {
    const cloud = await novaWith({
      '/compute/v2.1/servers/x': server('x', { 'metering.a.b': 'v', other: 'o' }),
      '/compute/v2.1/servers/y': server('y', {}),
    });
    const { find } = sourceOf(hostIn(cloud, fakeHypervisor(), extra));
    const domains = [domain('x', 'name="a" id="1"'), domain('y', 'name="a" id="1"')];

    const cycles = [await find(domains), await find(domains)];

    expect(cycles.map((bases) => bases.map((base) => base['user_metadata']))).toEqual([
      [{ a_b: 'v' }, undefined],
      [{ a_b: 'v' }, undefined],
    ]);
    expect([...paths(cloud)].sort()).toEqual(['servers/x', 'servers/y']);
  });

  it('brings the id of the flavor with it', async () => {
    const cloud = await novaWith({ '/compute/v2.1/servers/x': server('x', {}) });
    const { find } = sourceOf(hostIn(cloud, fakeHypervisor(), extra));

    const [base] = await find([domain('x', 'name="a"')]);

    expect(base?.['flavor']).toMatchObject({ id: 'f', name: 'a' });
    expect(paths(cloud)).toEqual(['servers/x']);
  });

  it('of a server that Nova does not know is none, and the flavor is asked for by name', async () => {
    const cloud = await novaWith({ [FLAVORS]: json({ flavors: [{ name: 'a', id: '1' }] }) });
    const { clock, find } = sourceOf(hostIn(cloud, fakeHypervisor(), extra));
    const domains = [domain('x', 'name="a"')];

    const [base] = await find(domains);
    await clock.pass(61_000);
    await find(domains);

    expect(base?.['flavor']).toMatchObject({ id: '1' });
    expect(base?.['user_metadata']).toBeUndefined();
    expect(paths(cloud)).toEqual(['servers/x', 'flavors?is_public=None', 'servers/x']);
  });

  it('that changes is another instance, one that does not is the same', async () => {
    const cloud = await novaWith({
      '/compute/v2.1/servers/x': inTurn(server('x', {}), server('x', { 'metering.n': '2' })),
    });
    const host = hostIn(cloud, fakeHypervisor(), extra);
    const { clock, source } = sourceOf(host);
    const domains = [domain('x', 'name="a" id="1"')];

    const [first] = await source.find(domains, cycle(host));
    const [second] = await source.find(domains, cycle(host));
    await clock.pass(6 * 3_600_000);
    const [third] = await source.find(domains, cycle(host));

    expect(second).toBe(first);
    expect(third?.resources(1).whole.metadata['user_metadata']).toEqual({ n: '2' });
  });
});
