import { describe, expect, it } from 'vitest';
import { json } from '../helpers/fake-openstack.ts';
import { cloudWith, SERVERS, servers, sessionOf, signal, testClock } from './support.ts';

describe('a session', () => {
  it('logs in once for all services and requests, and sends the token', async () => {
    const cloud = await cloudWith({ [SERVERS]: json(servers), '/img/images': json({ images: [] }) });
    cloud.catalogue = [...cloud.catalogue, { type: 'image', url: '/img' }];
    const session = sessionOf(cloud);

    const answers = await Promise.all([
      session.service('compute').get('/servers', { signal: signal(), query: { all_tenants: true, host: 'ü&1' } }),
      session.service('compute').get('servers', { signal: signal() }),
      session.service('image').get('/images', { signal: signal() }),
    ]);

    expect(answers).toEqual([servers, servers, { images: [] }]);
    expect(cloud.logins).toHaveLength(1);
    expect(JSON.parse(cloud.logins[0]?.body ?? '')).toEqual({
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'ceilometer', password: 'very secret', domain: { name: 'Default' } } },
        },
        scope: { project: { name: 'service', domain: { name: 'Default' } } },
      },
    });
    expect(cloud.asked.map(({ path }) => path).sort()).toEqual([
      SERVERS,
      `${SERVERS}?all_tenants=true&host=%C3%BC%261`,
      '/img/images',
    ]);
    expect(new Set(cloud.asked.map(({ headers }) => headers['x-auth-token']))).toEqual(new Set(['token-1']));
  });

  it('does nothing before the first request', async () => {
    const cloud = await cloudWith();

    const session = sessionOf(cloud, { cafile: '/nonexistent' });
    session.service('compute');

    expect([cloud.logins.length, cloud.asked.length]).toEqual([0, 0]);
  });

  it('renews the token before it expires', async () => {
    const cloud = await cloudWith({ [SERVERS]: json(servers) });
    const clock = testClock();
    const compute = sessionOf(cloud, {}, clock).service('compute');

    await compute.get('/servers', { signal: signal() });
    clock.time = 3_470_000;
    await compute.get('/servers', { signal: signal() });
    clock.time = 3_481_000;
    await compute.get('/servers', { signal: signal() });

    expect(cloud.asked.map(({ headers }) => headers['x-auth-token'])).toEqual(['token-1', 'token-1', 'token-2']);
  });

  it('keeps a token that is still good while Keystone cannot renew it', async () => {
    const cloud = await cloudWith({ [SERVERS]: json(servers) });
    const clock = testClock();
    const compute = sessionOf(cloud, {}, clock).service('compute');
    await compute.get('/servers', { signal: signal() });
    cloud.login = json({}, 503);

    clock.time = 3_590_000;
    const inTime = await compute.get('/servers', { signal: signal() });
    clock.time = 3_601_000;
    const tooLate = compute.get('/servers', { signal: signal() });

    expect(inTime).toEqual(servers);
    await expect(tooLate).rejects.toThrow('identity POST /v3/auth/tokens answered 503');
  });

  it('renews a token that a service refuses, once for all requests in flight', async () => {
    const cloud = await cloudWith({ [SERVERS]: json(servers) });
    const compute = sessionOf(cloud).service('compute');
    await compute.get('/servers', { signal: signal() });
    cloud.valid.clear();

    const answers = await Promise.all([1, 2, 3].map(() => compute.get('/servers', { signal: signal() })));

    expect(answers).toEqual([servers, servers, servers]);
    expect(cloud.logins).toHaveLength(2);
  });

  it('gives up when the renewed token is refused as well, without telling it', async () => {
    const cloud = await cloudWith();
    const compute = sessionOf(cloud).service('compute');
    const valid = cloud.valid;
    valid.add = () => valid;

    const answer = compute.get('/servers', { signal: signal() });

    await expect(answer).rejects.toMatchObject({
      code: 'ERR_SERVICE',
      status: 401,
      message: 'compute GET /compute/v2.1/servers answered 401: bad token ***',
    });
    expect(cloud.logins).toHaveLength(2);
  });

  it('does not try refused credentials again and again, and says nothing of the password', async () => {
    const cloud = await cloudWith();
    cloud.login = json({ error: { message: 'wrong: very secret' } }, 401);
    const clock = testClock();
    const compute = sessionOf(cloud, {}, clock).service('compute');
    const ask = () => compute.get('/servers', { signal: signal() }).catch((error: Error) => error.message);

    const messages = [await ask(), await ask()];
    clock.time = 61_000;
    messages.push(await ask());

    expect(new Set(messages)).toEqual(
      new Set(['identity POST /v3/auth/tokens answered 401, [service_credentials] may be wrong']),
    );
    expect(cloud.logins).toHaveLength(2);
  });

  it.each([
    ['no JSON', 'hello', { 'x-subject-token': 't' }],
    ['no token in the header', '{"token": {"expires_at": "2030-01-01T00:00:00Z"}}', {}],
    ['no expiry', '{"token": {}}', { 'x-subject-token': 't' }],
    ['an expiry that is none', '{"token": {"expires_at": "soon"}}', { 'x-subject-token': 't' }],
    [
      'a broken catalogue',
      '{"token": {"expires_at": "2090-01-01T00:00:00Z", "catalog": [1]}}',
      { 'x-subject-token': 't' },
    ],
  ])('refuses a token with %s', async (_what, body, headers) => {
    const cloud = await cloudWith();
    cloud.login = json(body, 201, headers as Record<string, string>);

    const answer = sessionOf(cloud).service('compute').get('/servers', { signal: signal() });

    await expect(answer).rejects.toMatchObject({
      code: 'ERR_SERVICE',
      message: 'identity: the answer of Keystone is no token',
    });
  });

  it('tells whose token it is', async () => {
    const identity = await sessionOf(await cloudWith()).identity(signal());

    expect(identity).toEqual({ projectId: 'project-1', userId: 'user-1' });
  });

  it('ends what is under way when it is closed', async () => {
    const cloud = await cloudWith({ [SERVERS]: () => new Promise(() => {}) });
    const session = sessionOf(cloud);
    const answer = session.service('compute').get('/servers', { signal: signal() });
    const outcome = answer.catch((error: { code?: string }) => error.code);

    while (cloud.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await session.close();

    expect(await outcome).toBe('ERR_SERVICE');
    await expect(session.service('compute').get('/servers', { signal: signal() })).rejects.toThrow('closed');
  });
});
