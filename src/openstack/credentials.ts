/** The credentials of `[service_credentials]`, as keystoneauth reads them. */
import { interpolate } from '../config/interpolate.ts';
import { camelCase, type Option } from '../config/option.ts';
import { credentialsOptions } from '../config/options/services.ts';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../wire/value.ts';

export type Credentials = KeystoneCredentials | FixedCredentials;

export interface KeystoneCredentials {
  readonly kind: 'keystone';
  /** The base of Keystone's API, its version included, without a slash at the end. */
  readonly keystone: string;
  /** The body that asks for a token. It holds the secrets. */
  readonly login: JsonObject;
  /** Texts that no message may carry. */
  readonly secrets: readonly string[];
}

/** Of a service that stands alone: it knows whom it trusts, and where it is has to be said. */
interface FixedCredentials {
  readonly kind: 'fixed';
  /** Without a slash at the end. */
  readonly endpoint: string;
  /** What each request carries instead of a token. */
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

const GROUP = 'service_credentials';

type OptionName = keyof typeof credentialsOptions & string;

/** Reads options of the group that has the credentials. */
interface Settings {
  get(name: OptionName): string | undefined;
  /** An error about an option of that group. */
  wrong(problem: string): ConfigError;
}

/** Those of a group, `[service_credentials]` when left out. Throws {@link ConfigError} that names the option. */
export function readCredentials(config: Config, group?: string): Credentials {
  const settings = settingsOf(config, group);
  const type = settings.get('auth_type');
  if (type === undefined) throw settings.wrong('auth_type is not set, OpenStack cannot be asked');
  const fixed = fixedMethods.get(type);
  if (fixed !== undefined)
    return { kind: 'fixed', endpoint: endpointUrl(settings), secrets: [], headers: fixed(settings) };
  const method = loginMethods.get(type);
  if (method === undefined) {
    const known = [...loginMethods.keys(), ...fixedMethods.keys()];
    throw settings.wrong(`auth_type = ${type} is not supported, expected ${known.join(', ')}`);
  }
  const { login, secrets } = method(settings);
  return { kind: 'keystone', keystone: keystoneUrl(settings), login, secrets };
}

/** For services that run without Keystone; the last two are Gnocchi's own. */
const fixedMethods: ReadonlyMap<string, (settings: Settings) => Readonly<Record<string, string>>> = new Map([
  ['none', () => ({ 'x-auth-token': 'notused' })],
  ['gnocchi-basic', basicHeaders],
  ['gnocchi-noauth', noAuthHeaders],
]);

function basicHeaders(settings: Settings): Readonly<Record<string, string>> {
  const user = settings.get('user');
  if (user === undefined) throw settings.wrong('user is not set');
  return { authorization: `basic ${Buffer.from(`${user}:`).toString('base64')}` };
}

function noAuthHeaders(settings: Settings): Readonly<Record<string, string>> {
  return {
    'x-roles': settings.get('roles') ?? 'admin',
    'x-user-id': settings.get('user_id') ?? 'admin',
    'x-project-id': settings.get('project_id') ?? 'admin',
  };
}

interface Login {
  readonly login: JsonObject;
  readonly secrets: readonly string[];
}

const loginMethods: ReadonlyMap<string, (settings: Settings) => Login> = new Map([
  ['password', (settings: Settings) => passwordLogin(settings, true)],
  ['v3password', (settings: Settings) => passwordLogin(settings, false)],
  ['v3applicationcredential', applicationCredentialLogin],
]);

/** The kind that is not bound to a version of the API also takes `default_domain_*`. */
function passwordLogin(settings: Settings, generic: boolean): Login {
  const password = settings.get('password');
  if (password === undefined) throw settings.wrong('password is not set');
  const user = userOf(settings, generic);
  if (user === undefined) throw settings.wrong('neither username nor user_id is set');
  const scope = scopeOf(settings, generic);
  return {
    login: {
      auth: {
        identity: { methods: ['password'], password: { user: { password, ...user } } },
        ...(scope !== undefined && { scope }),
      },
    },
    secrets: [password],
  };
}

/** It is bound to a project when it is made, so that it takes no scope. */
function applicationCredentialLogin(settings: Settings): Login {
  const secret = settings.get('application_credential_secret');
  if (secret === undefined) throw settings.wrong('application_credential_secret is not set');
  const id = settings.get('application_credential_id');
  const name = settings.get('application_credential_name');
  const user = id === undefined ? userOf(settings, false) : undefined;
  if (id === undefined && (name === undefined || user === undefined)) {
    throw settings.wrong('expected application_credential_id, or application_credential_name with the user');
  }
  if (scopeOf(settings, false) !== undefined) {
    throw settings.wrong('an application credential has its own project: remove the project, domain, system or trust');
  }
  const which = id === undefined ? { name: name ?? '', user: user ?? {} } : { id };
  return {
    login: {
      auth: { identity: { methods: ['application_credential'], application_credential: { secret, ...which } } },
    },
    secrets: [secret],
  };
}

function userOf(settings: Settings, generic: boolean): JsonObject | undefined {
  const id = settings.get('user_id');
  if (id !== undefined) return { id };
  const name = settings.get('username');
  if (name === undefined) return undefined;
  const domain = domainOf(settings, ['user_domain_id', 'user_domain_name'], generic);
  if (domain === undefined) throw settings.wrong('username is set without user_domain_id or user_domain_name');
  return { name, domain };
}

function scopeOf(settings: Settings, generic: boolean): JsonObject | undefined {
  const scopes: JsonObject[] = [];
  const domainId = settings.get('domain_id');
  const domainName = settings.get('domain_name');
  if (domainId !== undefined) scopes.push({ domain: { id: domainId } });
  else if (domainName !== undefined) scopes.push({ domain: { name: domainName } });
  const project = projectOf(settings, generic);
  if (project !== undefined) scopes.push({ project });
  const trust = settings.get('trust_id');
  if (trust !== undefined) scopes.push({ 'OS-TRUST:trust': { id: trust } });
  const system = settings.get('system_scope');
  if (system !== undefined && system !== 'all') throw settings.wrong(`system_scope = ${system}, expected all`);
  if (system !== undefined) scopes.push({ system: { all: true } });
  if (scopes.length > 1) throw settings.wrong('expected one of project, domain, trust and system_scope, got several');
  return scopes[0];
}

function projectOf(settings: Settings, generic: boolean): JsonObject | undefined {
  const id = settings.get('project_id');
  if (id !== undefined) return { id };
  const name = settings.get('project_name');
  if (name === undefined) return undefined;
  const domain = domainOf(settings, ['project_domain_id', 'project_domain_name'], generic);
  if (domain === undefined)
    throw settings.wrong('project_name is set without project_domain_id or project_domain_name');
  return { name, domain };
}

/** An id counts more than a name, also a default one: keystoneauth has it so. */
function domainOf(
  settings: Settings,
  [idName, nameName]: readonly [OptionName, OptionName],
  generic: boolean,
): JsonObject | undefined {
  const id = settings.get(idName) ?? (generic ? settings.get('default_domain_id') : undefined);
  if (id !== undefined) return { id };
  const name = settings.get(nameName) ?? (generic ? settings.get('default_domain_name') : undefined);
  return name === undefined ? undefined : { name };
}

/** The URL may or may not end with the version. It is not asked for its versions: there is only one left. */
function keystoneUrl(settings: Settings): string {
  const base = baseUrl(settings, 'auth_url');
  if (/\/v2(\.0)?$/.test(base)) throw settings.wrong('auth_url is that of version 2, of which nothing is left');
  return base.endsWith('/v3') ? base : `${base}/v3`;
}

function endpointUrl(settings: Settings): string {
  return baseUrl(settings, 'endpoint');
}

/** Without a slash at the end. */
function baseUrl(settings: Settings, option: 'auth_url' | 'endpoint'): string {
  const text = settings.get(option);
  if (text === undefined) throw settings.wrong(`${option} is not set`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw settings.wrong(`${option}: expected an http or https URL, got ${JSON.stringify(text)}`);
  }
  if (url.username !== '' || url.password !== '') throw settings.wrong(`${option}: expected a URL without a password`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function settingsOf(config: Config, asked = GROUP): Settings {
  const { serviceCredentials } = config;
  const group = asked === GROUP ? (serviceCredentials.authSection ?? GROUP) : asked;
  const wrong = (problem: string) => new ConfigError(`[${group}] ${problem}`);
  if (group === GROUP) {
    const values: Readonly<Record<string, unknown>> = serviceCredentials;
    return { get: (name) => nonEmpty(values[camelCase(name)]), wrong };
  }
  // Any group may hold the credentials, also one of another program: it is not in the option table.
  const section = config.section(group);
  const noReference = (name: string): never => {
    throw wrong(`${name}: a reference is resolved in [${GROUP}] only; write $$ for a dollar sign`);
  };
  return {
    get(name) {
      const option: Option = credentialsOptions[name];
      const names = [name, ...(option.deprecated ?? []).flatMap(([of, old]) => (of === GROUP ? [old] : []))];
      const written = names.flatMap((one) => section[one]?.at(-1) ?? [])[0];
      return nonEmpty(written && interpolate(written, () => noReference(name)));
    },
    wrong,
  };
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
