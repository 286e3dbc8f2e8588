/** A real Keystone of Debian's packages on a free port. */
import { freePorts } from '../ports.ts';
import { type Ini, openSite, type Site } from './site.ts';

export interface Keystone {
  /** Without the version. */
  readonly url: string;
  /** The user admin of the domain Default, who may do everything in the project admin. */
  readonly password: string;
  close(): Promise<void>;
}

export interface KeystoneOptions {
  /** Seconds. */
  readonly tokenLife: number;
}

/** Of all users. */
export const PASSWORD = 'very secret';

/** One that stands alone. */
export async function startKeystone(options: KeystoneOptions): Promise<Keystone> {
  const site = await openSite();
  try {
    return { url: await addKeystone(site, options), password: PASSWORD, close: site.close };
  } catch (error) {
    await site.close();
    throw error;
  }
}

/** Resolves to its URL, without the version. */
export async function addKeystone(site: Site, { tokenLife }: KeystoneOptions): Promise<string> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const config = await site.folder('keystone');
  const file = await site.writeIni('keystone/keystone.conf', {
    DEFAULT: { use_stderr: true },
    database: { connection: await site.database('keystone') },
    token: { expiration: tokenLife },
    fernet_tokens: { key_repository: site.path('keystone/fernet') },
    fernet_receipts: { key_repository: site.path('keystone/fernet') },
    credential: { key_repository: site.path('keystone/credential') },
  });
  const manage = (...args: readonly string[]) => site.run('keystone-manage', ['--config-file', file, ...args]);
  const asRoot = ['--keystone-user', 'root', '--keystone-group', 'root'];
  await manage('db_sync');
  await manage('fernet_setup', ...asRoot);
  await manage('credential_setup', ...asRoot);
  const urls = ['public', 'internal', 'admin'].map((face) => `--bootstrap-${face}-url=${url}/v3`);
  await manage('bootstrap', '--bootstrap-password', PASSWORD, '--bootstrap-region-id', 'RegionOne', ...urls);
  await site.startWsgi('/usr/bin/keystone-wsgi-public', port, { env: { OS_KEYSTONE_CONFIG_DIR: config } });
  return url;
}

/** How a service asks whether a token holds. */
export function authToken(keystone: string, user: string): Ini[string] {
  return {
    www_authenticate_uri: keystone,
    auth_url: keystone,
    auth_type: 'password',
    username: user,
    password: PASSWORD,
    project_name: 'service',
    user_domain_name: 'Default',
    project_domain_name: 'Default',
    region_name: 'RegionOne',
  };
}
