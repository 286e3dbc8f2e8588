/** A small real OpenStack: Keystone, Glance, Swift, Neutron and Cinder of Debian's packages on one private database. */
import { startRabbitmq } from '../rabbitmq.ts';
import { addCinder } from './cinder.ts';
import { type ApiClient, logIn } from './client.ts';
import { addGlance } from './glance.ts';
import { addKeystone } from './keystone.ts';
import { addNeutron } from './neutron.ts';
import { openSite } from './site.ts';
import { addSwift } from './swift.ts';

export interface Cloud {
  readonly keystone: string;
  /** By their types in the catalogue, the URLs of the services; the place of a project is in some of them. */
  readonly urls: Readonly<Record<'image' | 'object-store' | 'network' | 'volumev3', string>>;
  /** The user admin of the project admin. */
  readonly admin: ApiClient;
  /** A member of a project of her own. */
  readonly alice: ApiClient;
  settleSwift(): Promise<void>;
  close(): Promise<void>;
}

const DAY = 86_400;
/** Of the project service. */
const USERS = { glance: ['admin'], swift: ['admin'], neutron: ['admin'], cinder: ['admin'] };
/** Whom the agent logs in as: it lists what belongs to all projects, and reads their accounts. */
export const AGENT = 'ceilometer';

export async function startCloud(): Promise<Cloud> {
  const [site, broker] = await Promise.all([openSite(), startRabbitmq()]);
  const close = async () => {
    await Promise.all([site.close(), broker[Symbol.asyncDispose]()]);
  };
  try {
    const keystone = await addKeystone(site, { tokenLife: DAY });
    const admin = await logIn(keystone, 'admin', 'admin');
    await addUsers(admin);
    const transportUrl = `rabbit://guest:guest@127.0.0.1:${broker.port}/${broker.vhost()}`;
    // One after the other: they share two cores with whoever waits for them.
    const image = await addGlance(site, keystone);
    const swift = await addSwift(site, keystone);
    const network = await addNeutron(site, keystone, transportUrl);
    const volumev3 = await addCinder(site, keystone, transportUrl);
    const urls = { image, 'object-store': swift.url, network, volumev3 };
    for (const [type, url] of Object.entries(urls)) await addToCatalogue(admin, type, url);
    const alice = await logIn(keystone, 'alice', 'alpha');
    return { keystone, urls, admin, alice, settleSwift: swift.settle, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function addUsers(admin: ApiClient): Promise<void> {
  const { keystone } = admin;
  const roles = new Map<string, string>();
  for (const { name, id } of (await admin.get(`${keystone}/v3/roles`)).roles) roles.set(name, id);
  const reseller = await admin.post(`${keystone}/v3/roles`, { role: { name: 'ResellerAdmin' } });
  roles.set('ResellerAdmin', reseller.role.id);
  const members = {
    service: { ...USERS, [AGENT]: ['admin', 'ResellerAdmin'] },
    alpha: { alice: ['member'] },
  };
  for (const [name, users] of Object.entries(members)) {
    const { project } = await admin.post(`${keystone}/v3/projects`, { project: { name, domain_id: 'default' } });
    for (const [user, names] of Object.entries(users)) {
      const made = await admin.post(`${keystone}/v3/users`, {
        user: { name: user, domain_id: 'default', password: admin.password },
      });
      for (const role of names) {
        await admin.put(`${keystone}/v3/projects/${project.id}/users/${made.user.id}/roles/${roles.get(role)}`);
      }
    }
  }
}

async function addToCatalogue(admin: ApiClient, type: string, url: string): Promise<void> {
  const { keystone } = admin;
  const { service } = await admin.post(`${keystone}/v3/services`, { service: { type, name: type } });
  for (const face of ['public', 'internal']) {
    await admin.post(`${keystone}/v3/endpoints`, {
      endpoint: { service_id: service.id, interface: face, region_id: 'RegionOne', url },
    });
  }
}
