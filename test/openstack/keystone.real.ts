import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { createSession, type OpenStackSession } from '../../src/openstack/session.ts';
import { collectPages } from '../helpers/collect-pages.ts';
import { type Keystone, startKeystone } from '../helpers/openstack/keystone.ts';
import { soon as signal } from '../helpers/patience.ts';
import { describeWith } from '../helpers/services.ts';

describeWith('keystone', 'a session with a real Keystone', () => {
  let keystone: Keystone;
  const sessions: OpenStackSession[] = [];

  beforeAll(async () => {
    keystone = await startKeystone({ tokenLife: 20 });
  }, 300_000);

  afterAll(async () => {
    await Promise.all(sessions.map((session) => session.close()));
    await keystone?.close();
  });

  function sessionOf(credentials: Readonly<Record<string, string>>): OpenStackSession {
    const overrides = { serviceCredentials: { authUrl: keystone.url, ...credentials } };
    const { config } = loadConfig({ files: [], dirs: [], env: {}, overrides });
    const session = createSession(config);
    sessions.push(session);
    return session;
  }

  const user = () => ({
    authType: 'password',
    username: 'admin',
    password: keystone.password,
    userDomainName: 'Default',
  });
  const project = { projectName: 'admin', projectDomainName: 'Default' };
  const identityOf = (session: OpenStackSession) => session.service('identity', { version: 'v3' });

  it('logs in with a password for a project, and lists what it may see page by page', async () => {
    const session = sessionOf({ ...user(), ...project });

    const pages = await collectPages(identityOf(session).pages('/projects', 'projects', { signal: signal() }));
    const identity = await session.identity(signal());

    expect(pages.flat()).toMatchObject([{ name: 'admin', enabled: true, id: identity.projectId }]);
  });

  it.each([
    ['the URL of version 3', { authUrl: '/v3/' }],
    ['the kind v3password', { authType: 'v3password' }],
  ])('logs in with %s', async (_what, changes) => {
    const authUrl = `${keystone.url}${'authUrl' in changes ? changes.authUrl : ''}`;

    const session = sessionOf({ ...user(), ...project, ...changes, authUrl });

    expect(await identityOf(session).get('/domains', { signal: signal() })).toMatchObject({
      domains: [{ id: 'default' }],
    });
  });

  it('logs in for the system and for a domain', async () => {
    const system = sessionOf({ ...user(), systemScope: 'all' });

    expect((await system.identity(signal())).projectId).toBeUndefined();
    expect(await identityOf(system).get('/users', { signal: signal() })).toMatchObject({ users: [{ name: 'admin' }] });
    await expect(sessionOf({ ...user(), domainName: 'Default' }).identity(signal())).rejects.toMatchObject({
      // The user has no role there: Keystone says so, the scope was understood.
      message: 'identity POST /v3/auth/tokens answered 401, [service_credentials] may be wrong',
    });
  });

  it('logs in with an application credential, by id and by name', async () => {
    const admin = sessionOf({ ...user(), ...project });
    const { userId = '' } = await admin.identity(signal());
    const answer = await identityOf(admin).request('POST', `/users/${userId}/application_credentials`, {
      signal: signal(),
      body: { application_credential: { name: 'agent', secret: 'quite secret', roles: [{ name: 'reader' }] } },
    });
    const { id } = JSON.parse(answer.text).application_credential;
    const secret = { authType: 'v3applicationcredential', applicationCredentialSecret: 'quite secret' };

    const byId = sessionOf({ ...secret, applicationCredentialId: id });
    const byName = sessionOf({
      ...secret,
      applicationCredentialName: 'agent',
      username: 'admin',
      userDomainId: 'default',
    });

    expect(await byId.identity(signal())).toEqual(await admin.identity(signal()));
    expect(await byName.identity(signal())).toEqual(await admin.identity(signal()));
  });

  it('goes on beyond the life of its tokens', async () => {
    const identity = identityOf(sessionOf({ ...user(), ...project }));
    const answers: unknown[] = [];

    for (const end = Date.now() + 24_000; Date.now() < end; ) {
      answers.push(await identity.get('/domains/default', { signal: signal() }));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }

    expect(answers.length).toBeGreaterThan(5);
    expect(answers).toEqual(answers.map(() => expect.objectContaining({ domain: expect.anything() })));
  });

  it('renews a token that was revoked', async () => {
    const session = sessionOf({ ...user(), ...project });
    const identity = identityOf(session);
    await identity.get('/domains', { signal: signal() });

    const { headers } = await identity.request('GET', '/auth/projects', { signal: signal() });
    await revokeOwnToken(identity);
    // Keystone counts in whole seconds: it also refuses tokens of the second in which it revoked.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const answer = await identity.get('/domains/default', { signal: signal() });

    expect(headers['content-type']).toBe('application/json');
    expect(answer).toMatchObject({ domain: { id: 'default' } });
  });

  it('refuses wrong passwords without repeating them', async () => {
    const session = sessionOf({ ...user(), ...project, password: 'quite wrong' });

    await expect(session.identity(signal())).rejects.toMatchObject({
      status: 401,
      message: 'identity POST /v3/auth/tokens answered 401, [service_credentials] may be wrong',
    });
  });

  it('says what Keystone said of a thing that is not there', async () => {
    const identity = identityOf(sessionOf({ ...user(), ...project }));

    await expect(identity.get('/projects/none', { signal: signal() })).rejects.toMatchObject({
      status: 404,
      message: 'identity GET /v3/projects/none answered 404: Could not find project: none.',
    });
  });

  /** Changing the password revokes all tokens of the user; the same one may be set again. */
  async function revokeOwnToken(identity: ReturnType<typeof identityOf>): Promise<void> {
    const { users } = await identity.get('/users?name=admin', { signal: signal() });
    const [admin] = users as readonly { id: string }[];
    await identity.request('PATCH', `/users/${admin?.id}`, {
      signal: signal(),
      body: { user: { password: keystone.password } },
    });
  }
});
