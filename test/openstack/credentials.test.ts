import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { type KeystoneCredentials, readCredentials } from '../../src/openstack/credentials.ts';
import { tempFiles } from '../config/temp-files.ts';

function configOf(lines: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const folder = tempFiles({ 'ceilometer.conf': ['[service_credentials]', ...lines].join('\n') });
  return loadConfig({ files: [join(folder, 'ceilometer.conf')], dirs: [], env }).config;
}

const readAny = (...lines: readonly string[]) => readCredentials(configOf(lines));

function read(...lines: readonly string[]): KeystoneCredentials {
  const credentials = readAny(...lines);
  if (credentials.kind !== 'keystone') throw new Error(`credentials for ${credentials.endpoint}`);
  return credentials;
}

const URL = 'auth_url = http://keystone:5000';
const PASSWORD = ['auth_type = password', URL, 'username = u', 'password = p', 'user_domain_name = D'];
const APPLICATION = ['auth_type = v3applicationcredential', URL, 'application_credential_secret = s'];
const scopeOf = (...lines: readonly string[]) => read(...PASSWORD, ...lines).login;

describe('credentials', () => {
  it('of a user have name, domain and password', () => {
    const { login, secrets } = read(...PASSWORD);

    expect(login).toEqual({
      auth: {
        identity: { methods: ['password'], password: { user: { password: 'p', name: 'u', domain: { name: 'D' } } } },
      },
    });
    expect(secrets).toEqual(['p']);
  });

  it('of a user that is named by id have no domain', () => {
    const { login } = read('auth_type = v3password', URL, 'user_id = 1', 'password = p', 'user_domain_id = d');

    expect(login).toMatchObject({ auth: { identity: { password: { user: { password: 'p', id: '1' } } } } });
    expect(JSON.stringify(login)).not.toContain('domain');
  });

  it.each([
    ['a project by id', ['project_id = 1', 'project_name = n'], { project: { id: '1' } }],
    [
      'a project by name',
      ['project_name = n', 'project_domain_id = d'],
      { project: { name: 'n', domain: { id: 'd' } } },
    ],
    [
      'a project by its older name',
      ['tenant_name = n', 'project_domain_name = D'],
      { project: { name: 'n', domain: { name: 'D' } } },
    ],
    [
      'a project of the default domain',
      ['project_name = n', 'default_domain_id = d'],
      { project: { name: 'n', domain: { id: 'd' } } },
    ],
    ['a domain by id', ['domain_id = d'], { domain: { id: 'd' } }],
    ['a domain by name', ['domain_name = D'], { domain: { name: 'D' } }],
    ['a trust', ['trust_id = t'], { 'OS-TRUST:trust': { id: 't' } }],
    ['the system', ['system_scope = all'], { system: { all: true } }],
  ])('are for %s', (_what, lines, scope) => {
    expect(scopeOf(...lines)).toMatchObject({ auth: { scope } });
  });

  it('take the id of a default domain before a name, as keystoneauth does', () => {
    expect(scopeOf('default_domain_id = x')).toMatchObject({
      auth: { identity: { password: { user: { domain: { id: 'x' } } } } },
    });
  });

  it('of an application have an id, or a name with the user', () => {
    const byId = read(...APPLICATION, 'application_credential_id = 1').login;
    const byName = read(...APPLICATION, 'application_credential_name = n', 'user_id = u').login;

    expect(byId).toEqual({
      auth: { identity: { methods: ['application_credential'], application_credential: { secret: 's', id: '1' } } },
    });
    expect(byName).toMatchObject({
      auth: { identity: { application_credential: { secret: 's', name: 'n', user: { id: 'u' } } } },
    });
  });

  it.each([
    ['http://keystone:5000', 'http://keystone:5000/v3'],
    ['http://keystone:5000/', 'http://keystone:5000/v3'],
    ['https://cloud/identity/v3/', 'https://cloud/identity/v3'],
    ['https://cloud/identity', 'https://cloud/identity/v3'],
  ])('with auth_url = %s are for %s', (url, keystone) => {
    expect(read(...PASSWORD, `auth_url = ${url}`).keystone).toBe(keystone);
  });

  it.each([
    ['none', [], { 'x-auth-token': 'notused' }],
    ['gnocchi-basic', ['user = admin'], { authorization: 'basic YWRtaW46' }],
    [
      'gnocchi-noauth',
      ['user_id = u', 'project_id = p'],
      { 'x-roles': 'admin', 'x-user-id': 'u', 'x-project-id': 'p' },
    ],
  ])('of auth_type %s are for one service and need no Keystone', (type, lines, headers) => {
    const credentials = readAny(`auth_type = ${type}`, 'endpoint = http://metric:8041/', ...lines);

    expect(credentials).toMatchObject({ kind: 'fixed', endpoint: 'http://metric:8041', headers });
  });

  it.each([
    [['auth_type = none'], /\[service_credentials\] endpoint is not set/],
    [['auth_type = gnocchi-basic', 'endpoint = http://metric'], /user is not set/],
    [['auth_type = none', 'endpoint = metric:8041'], /endpoint: expected an http or https URL/],
  ])('without Keystone have to be complete: %s', (lines, reason) => {
    expect(() => readAny(...lines)).toThrow(reason);
  });

  it('come from the group that is asked for', () => {
    const lines = [
      'auth_type = none',
      'endpoint = http://a',
      '[gnocchi_here]',
      'auth_type = none',
      'endpoint = http://b',
    ];

    const credentials = readCredentials(configOf(lines), 'gnocchi_here');

    expect(credentials).toMatchObject({ endpoint: 'http://b' });
  });

  it('come from the group that auth_section names', () => {
    const other = ['[other]', ...PASSWORD.slice(0, 2), 'user_name = u', 'password = $$p', 'user_domain_id = d'];

    const { login } = read('auth_section = other', 'password = not this', ...other);

    expect(login).toMatchObject({
      auth: { identity: { password: { user: { name: 'u', password: '$p', domain: { id: 'd' } } } } },
    });
  });

  it.each([
    ['nothing', [], '[service_credentials] auth_type is not set, OpenStack cannot be asked'],
    [
      'another kind',
      ['auth_type = v2password'],
      '[service_credentials] auth_type = v2password is not supported, expected password, v3password, v3applicationcredential',
    ],
    ['no password', [...PASSWORD.slice(0, 3)], '[service_credentials] password is not set'],
    ['no user', ['auth_type = password', 'password = p'], '[service_credentials] neither username nor user_id is set'],
    ['no domain of the user', PASSWORD.slice(0, 4), 'username is set without user_domain_id or user_domain_name'],
    [
      'no domain of the project',
      [...PASSWORD, 'project_name = n'],
      'project_name is set without project_domain_id or project_domain_name',
    ],
    [
      'the default domain for the kind that has none',
      ['auth_type = v3password', URL, 'username = u', 'password = p', 'default_domain_id = d'],
      'username is set without user_domain_id',
    ],
    ['several scopes', [...PASSWORD, 'project_id = 1', 'domain_id = 2'], 'expected one of project, domain, trust'],
    ['another scope', [...PASSWORD, 'system_scope = some'], 'system_scope = some, expected all'],
    ['no URL', PASSWORD.filter((line) => line !== URL), '[service_credentials] auth_url is not set'],
    ['a URL that is none', [...PASSWORD, 'auth_url = keystone:5000'], 'auth_url: expected an http or https URL'],
    ['a URL with a password', [...PASSWORD, 'auth_url = http://a:b@k'], 'auth_url: expected a URL without a password'],
    ['version 2', [...PASSWORD, 'auth_url = http://k/v2.0'], 'auth_url is that of version 2'],
    ['no secret', APPLICATION.slice(0, 2), 'application_credential_secret is not set'],
    [
      'a name without its user',
      [...APPLICATION, 'application_credential_name = n'],
      'expected application_credential_id, or',
    ],
    [
      'an application credential for another project',
      [...APPLICATION, 'application_credential_id = 1', 'project_id = 2'],
      'an application credential has its own project',
    ],
    ['a mistake in another group', ['auth_section = other', '[other]'], '[other] auth_type is not set'],
    [
      'a reference in another group',
      ['auth_section = other', '[other]', 'auth_type = $x'],
      '[other] auth_type: a reference is resolved in [service_credentials] only',
    ],
  ])('are refused with %s', (_what, lines, message) => {
    expect(() => read(...lines)).toThrow(message);
  });
});

describe('region and interface', () => {
  it('are by default those of the environment, as for the clients of OpenStack', () => {
    const env = { OS_REGION_NAME: 'one', OS_ENDPOINT_TYPE: 'internalURL' };

    const byDefault = configOf([], env).serviceCredentials;
    const written = configOf(['region_name = two', 'interface = admin'], env).serviceCredentials;

    expect(byDefault).toMatchObject({ regionName: 'one', interface: 'internalURL' });
    expect(written).toMatchObject({ regionName: 'two', interface: 'admin' });
  });
});
