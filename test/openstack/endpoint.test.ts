import { describe, expect, it } from 'vitest';
import { json } from '../helpers/fake-openstack.ts';
import { type Credentials, cloudWith, sessionOf, signal, testClock } from './support.ts';

describe('an endpoint', () => {
  async function chosen(changes: Credentials, type = 'compute'): Promise<string> {
    const cloud = await cloudWith();
    cloud.catalogue = [
      { type: 'compute', url: 'http://one-public', region: 'one' },
      { type: 'compute', url: 'http://two-public/', region: 'two' },
      { type: 'compute', url: 'http://two-internal', region: 'two', face: 'internal' },
      { type: 'volumev3', url: 'http://volumes', region: 'two' },
      { type: 'shared-file-system', url: 'http://shares', region: 'two' },
    ];
    return sessionOf(cloud, changes).service(type).endpoint(signal());
  }

  it.each([
    ['the first of the type', {}, 'compute', 'http://one-public'],
    ['that of the region', { regionName: 'two' }, 'compute', 'http://two-public'],
    ['that of the interface', { interface: 'internal' }, 'compute', 'http://two-internal'],
    ['that of the interface by its older name', { interface: 'internalURL' }, 'compute', 'http://two-internal'],
    ['that of an alias of the type', {}, 'block-storage', 'http://volumes'],
    ['that of the type which the wanted one is an alias of', {}, 'sharev2', 'http://shares'],
  ])('is %s', async (_what, changes, type, url) => {
    expect(await chosen(changes as Credentials, type)).toBe(url);
  });

  it.each([
    ['no such type', {}, 'dns', 'the service catalogue has no public endpoint of dns'],
    ['only another alias', {}, 'volumev2', 'the service catalogue has no public endpoint of volumev2'],
    [
      'only another region',
      { regionName: 'three', interface: 'admin' },
      'compute',
      'the service catalogue has no admin endpoint of compute in region three',
    ],
  ])('is missing where there is %s', async (_what, changes, type, message) => {
    await expect(chosen(changes as Credentials, type)).rejects.toMatchObject({
      code: 'ERR_SERVICE',
      serviceType: type,
      message,
    });
  });

  it('of the interface auth is Keystone', async () => {
    const cloud = await cloudWith();

    const url = await sessionOf(cloud, { interface: 'auth' }).service('identity').endpoint(signal());

    expect(url).toBe(`${cloud.url}/v3`);
  });

  it('that is named takes the place of the one in the catalogue', async () => {
    const cloud = await cloudWith({ '/elsewhere/x': json({}) });
    const service = sessionOf(cloud).service('metric', { endpoint: `${cloud.url}/elsewhere/` });

    expect(await service.get('/x', { signal: signal() })).toEqual({});
  });

  it.each([
    ['http://h/image', 'v2', 'http://h/image/v2'],
    ['http://h/v2', 'v2', 'http://h/v2'],
    ['http://h/v2.1', 'v2', 'http://h/v2.1'],
    ['http://h/identity/v2.0', 'v3', 'http://h/identity/v3'],
  ])('%s for version %s is %s', async (url, version, expected) => {
    const cloud = await cloudWith();
    cloud.catalogue = [{ type: 'image', url }];

    const endpoint = await sessionOf(cloud).service('image', { version }).endpoint(signal());

    expect(endpoint).toBe(expected);
  });

  it('that was added later is found when the catalogue is some minutes old', async () => {
    const cloud = await cloudWith();
    const clock = testClock();
    const session = sessionOf(cloud, {}, clock);
    const find = () =>
      session
        .service('dns')
        .endpoint(signal())
        .catch(() => 'missing');

    const before = await find();
    cloud.catalogue = [{ type: 'dns', url: 'http://dns' }];
    clock.time = 60_000;
    const soon = await find();
    clock.time = 301_000;
    const later = await find();

    expect([before, soon, later]).toEqual(['missing', 'missing', 'http://dns']);
  });

  it('lists all of a type', async () => {
    const cloud = await cloudWith();
    cloud.catalogue = [
      { type: 'x', url: 'http://a' },
      { type: 'x', url: 'http://b', region: 'two' },
    ];

    const endpoints = await sessionOf(cloud).endpoints('x', signal());

    expect(endpoints.map(({ url, region }) => [url, region])).toEqual([
      ['http://a', 'RegionOne'],
      ['http://b', 'two'],
    ]);
  });
});
