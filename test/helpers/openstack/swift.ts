import { freePorts } from '../ports.ts';
import { authToken } from './keystone.ts';
import type { Site } from './site.ts';

const RINGS = ['account', 'container', 'object'] as const;
const PIPELINE =
  'catch_errors gatekeeper healthcheck proxy-logging cache listing_formats authtoken keystoneauth copy proxy-server';

export interface Swift {
  /** With the place of the project in it, for the catalogue. */
  readonly url: string;
  /** Has the accounts learn what their containers hold, which takes a daemon a while. */
  settle(): Promise<void>;
}

/** Debian's /etc/swift/swift.conf counts besides: Swift reads the salt of its hashes from nowhere else. */
export async function addSwift(site: Site, keystone: string): Promise<Swift> {
  const [proxy = 0, cache = 0, ...ports] = await freePorts(2 + RINGS.length);
  const swiftDir = await site.folder('swift');
  await site.folder('swift/node/d1');
  const server = { bind_ip: '127.0.0.1', workers: 0, user: 'root', swift_dir: swiftDir, log_level: 'INFO' };
  const use = (name: string) => ({ use: `egg:swift#${name}` });
  await site.start('memcached', ['-u', 'root', '-l', '127.0.0.1', '-p', String(cache), '-m', '32'], { port: cache });
  for (const [index, ring] of RINGS.entries()) {
    const port = ports[index] ?? 0;
    const builder = site.path(`swift/${ring}.builder`);
    for (const args of [['create', '4', '1', '1'], ['add', `r1z1-127.0.0.1:${port}/d1`, '1'], ['rebalance']]) {
      await site.run('swift-ring-builder', [builder, ...args]);
    }
    const file = await site.writeIni(`swift/${ring}-server.conf`, {
      DEFAULT: { ...server, bind_port: port, devices: site.path('swift/node'), mount_check: false },
      'pipeline:main': { pipeline: `healthcheck ${ring}-server` },
      [`app:${ring}-server`]: use(ring),
      'filter:healthcheck': use('healthcheck'),
      [`${ring}-updater`]: {},
    });
    await site.start(`swift-${ring}-server`, [file, '-v'], { port });
  }
  const file = await site.writeIni('swift/proxy-server.conf', {
    DEFAULT: { ...server, bind_port: proxy },
    'pipeline:main': { pipeline: PIPELINE },
    'app:proxy-server': { ...use('proxy'), account_autocreate: true },
    ...Object.fromEntries(
      ['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'copy'].map((name) => [
        `filter:${name}`,
        use(name),
      ]),
    ),
    'filter:proxy-logging': use('proxy_logging'),
    'filter:cache': { ...use('memcache'), memcache_servers: `127.0.0.1:${cache}` },
    'filter:authtoken': {
      'paste.filter_factory': 'keystonemiddleware.auth_token:filter_factory',
      ...authToken(keystone, 'swift'),
      delay_auth_decision: true,
      cache: 'swift.cache',
    },
    'filter:keystoneauth': {
      ...use('keystoneauth'),
      operator_roles: 'admin, member',
      reseller_admin_role: 'ResellerAdmin',
    },
  });
  await site.start('swift-proxy-server', [file, '-v'], { port: proxy });
  return {
    url: `http://127.0.0.1:${proxy}/v1/AUTH_%(project_id)s`,
    settle: () => site.run('swift-container-updater', [site.path('swift/container-server.conf'), 'once']),
  };
}
