/** A cloud with a Nova for the compute plugin, and a host that asks it. */
import { loadConfig } from '../../../../src/config/load.ts';
import { createSession } from '../../../../src/openstack/session.ts';
import type { Config } from '../../../../src/plugin.ts';
import compute from '../../../../src/pollsters/compute/index.ts';
import type { Instance } from '../../../../src/pollsters/compute/instance.ts';
import { type FakeHost, fakeHost } from '../../../../src/testing.ts';
import { type Answer, credentialsFor, type FakeCloud, json } from '../../../helpers/fake-openstack.ts';
import { cloudWith } from '../../../openstack/support.ts';
import { cycle, type FakeHypervisor, inspectorOf } from '../support.ts';

export const SERVERS = '/compute/v2.1/servers/detail';

export async function novaWith(routes: Readonly<Record<string, Answer>> = {}): Promise<FakeCloud> {
  const cloud = await cloudWith(routes);
  cloud.catalogue = [
    { type: 'compute', url: '/compute/v2.1' },
    { type: 'image', url: '/image' },
  ];
  return cloud;
}

type Options = NonNullable<Parameters<typeof fakeHost>[0]>['options'];

/** Its session ends with the cloud's test: the cloud closes all connections. */
export function hostIn(cloud: FakeCloud, hypervisor: FakeHypervisor, options: Options = {}): FakeHost {
  const serviceCredentials = { ...credentialsFor(cloud), timeout: 5 };
  const config: Config = loadConfig({ files: [], dirs: [], env: {}, overrides: { serviceCredentials } }).config;
  const openstack = createSession(config, { random: () => 0.01 });
  const host = 'compute-1.oracle.example';
  return fakeHost({ hostname: host, options: { ...options }, inspector: inspectorOf(hypervisor), openstack });
}

export async function discoverer(host: FakeHost): Promise<() => Promise<readonly Instance[]>> {
  const discovery = await compute.discoveries?.['compute']?.['local_instances']?.(host);
  return async () => (await discovery?.discover(undefined, cycle(host))) as readonly Instance[];
}

/** A server that lacks nothing. */
export function serverOf(id: string, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    id,
    name: `server ${id}`,
    status: 'ACTIVE',
    tenant_id: 'project-1',
    user_id: 'user-1',
    metadata: {},
    hostId: 'h',
    image: { id: 'image-1', links: [] },
    flavor: { id: 'flavor-1', links: [] },
    'OS-EXT-SRV-ATTR:host': 'compute-1.oracle.example',
    'OS-EXT-SRV-ATTR:instance_name': 'instance-1',
    'OS-EXT-STS:vm_state': 'active',
    ...changes,
  };
}

export const flavorRoute = {
  '/compute/v2.1/flavors/flavor-1': json({
    flavor: { id: 'flavor-1', name: 'm1', vcpus: 1, ram: 512, disk: 10, 'OS-FLV-EXT-DATA:ephemeral': 1 },
  }),
};

export const imageRoute = { '/image/v2/images/image-1': json({ id: 'image-1', name: 'debian', owner: 'project-1' }) };

/** The parts of the URLs asked for that tell. */
export function paths(cloud: FakeCloud): readonly string[] {
  return cloud.asked.map(({ path }) => decodeURIComponent(path).replace('/compute/v2.1/', ''));
}
