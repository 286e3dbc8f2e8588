/** A large cloud as its APIs tell of it: pages as the services cut them, made before they are asked for. */
import { randomUUID } from 'node:crypto';
import { type Answer, type FakeCloud, json, startFakeCloud } from '../test/helpers/fake-openstack.ts';

export interface CloudSize {
  readonly projects: number;
  readonly volumes: number;
  readonly images: number;
  readonly containers: number;
}

const CINDER_PAGE = 1000;
const GLANCE_PAGE = 1000;
const SWIFT_PAGE = 10_000;
/** Of all containers, what the largest project has. */
const LARGEST = 0.4;

const hex = () => randomUUID().replaceAll('-', '');

export async function startCentralCloud(size: CloudSize): Promise<FakeCloud> {
  const cloud = await startFakeCloud();
  cloud.catalogue = [
    { type: 'identity', url: '/identity' },
    { type: 'image', url: '/image' },
    { type: 'volumev3', url: '/volume/v3/project-1' },
    { type: 'object-store', url: '/swift/v1/AUTH_project-1' },
  ];
  const projects = Array.from({ length: size.projects }, hex);
  const owner = (index: number) => projects[index % projects.length] ?? '';
  cloud.routes.set('/identity/v3/domains', json({ domains: [{ id: 'default' }], links: {} }));
  cloud.routes.set('/identity/v3/projects', json({ projects: projects.map((id) => ({ id })), links: {} }));
  addPages(
    cloud,
    '/volume/v3/project-1/volumes/detail',
    CINDER_PAGE,
    many(size.volumes, volume(owner)),
    (items, next) => ({
      volumes: items,
      ...(next && { volumes_links: [{ rel: 'next', href: next }] }),
    }),
  );
  addPages(cloud, '/image/v2/images', GLANCE_PAGE, many(size.images, image(owner)), (items, next) => ({
    images: items,
    first: '/v2/images',
    schema: '/v2/schemas/images',
    ...(next && { next }),
  }));
  addContainers(cloud, projects, size.containers);
  return cloud;
}

interface Entry {
  readonly id: string;
}

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function addPages<T extends Entry>(
  cloud: FakeCloud,
  path: string,
  length: number,
  items: readonly T[],
  body: (items: readonly T[], next: string | undefined) => object,
): void {
  const pages = new Map<string | null, Answer>();
  for (let start = 0, marker: string | null = null; start === 0 || start < items.length; start += length) {
    const page = items.slice(start, start + length);
    const last = page.at(-1)?.id;
    const next = start + length < items.length ? `${cloud.url}${path}?marker=${last}` : undefined;
    pages.set(marker, json(JSON.stringify(body(page, next))));
    marker = last ?? null;
  }
  cloud.routes.set(path, (asked, response) => {
    const marker = new URL(asked.path, cloud.url).searchParams.get('marker');
    return (pages.get(marker) ?? json({}, 400))(asked, response);
  });
}

const volume = (owner: (index: number) => string) => (index: number) => {
  const id = randomUUID();
  return {
    id,
    status: 'in-use',
    size: 1 + (index % 100),
    availability_zone: 'nova',
    created_at: '2026-11-22T14:51:45.000000',
    updated_at: '2026-11-22T14:52:00.000000',
    name: `volume-${index}`,
    description: 'the disk of a server',
    volume_type: 'fast',
    volume_type_id: '3f8b2c5e-1c1e-4a60-8c8e-5ad1d7c0a001',
    snapshot_id: null,
    source_volid: null,
    metadata: { purpose: 'root' },
    user_id: owner(index + 1),
    bootable: 'true',
    encrypted: false,
    replication_status: null,
    consistencygroup_id: null,
    multiattach: false,
    migration_status: null,
    attachments: [
      {
        id,
        attachment_id: randomUUID(),
        volume_id: id,
        server_id: randomUUID(),
        host_name: 'compute-17',
        device: '/dev/vda',
        attached_at: '2026-11-22T14:52:00.000000',
      },
    ],
    links: [
      { rel: 'self', href: `http://127.0.0.1:8776/v3/volumes/${id}` },
      { rel: 'bookmark', href: `http://127.0.0.1:8776/volumes/${id}` },
    ],
    'os-vol-host-attr:host': 'storage@fast#pool',
    'os-vol-tenant-attr:tenant_id': owner(index),
    volume_image_metadata: { image_id: randomUUID(), image_name: 'debian-13', disk_format: 'raw', min_ram: '0' },
  };
};

const image = (owner: (index: number) => string) => (index: number) => ({
  id: randomUUID(),
  name: `image-${index}`,
  status: 'active',
  visibility: 'private',
  owner: owner(index),
  size: 2_361_393_152 + index,
  virtual_size: 10_737_418_240,
  disk_format: 'qcow2',
  container_format: 'bare',
  checksum: hex(),
  os_hash_algo: 'sha512',
  os_hash_value: hex().repeat(4),
  min_disk: 10,
  min_ram: 512,
  protected: false,
  os_hidden: false,
  tags: ['linux'],
  created_at: '2026-11-22T14:51:45Z',
  updated_at: '2026-11-22T14:52:00Z',
  hw_disk_bus: 'virtio',
  os_distro: 'debian',
  self: '/v2/images/x',
  file: '/v2/images/x/file',
  schema: '/v2/schemas/image',
});

function addContainers(cloud: FakeCloud, projects: readonly string[], count: number): void {
  const largest = Math.floor(count * LARGEST);
  const rest = Math.floor((count - largest) / Math.max(1, projects.length - 1));
  for (const [index, project] of projects.entries()) {
    const length = index === 0 ? count - rest * (projects.length - 1) : rest;
    const names = many(length, (one) => `container-${String(one).padStart(6, '0')}`);
    const headers = {
      'x-account-container-count': String(length),
      'x-account-object-count': String(length * 7),
      'x-account-bytes-used': String(length * 1_000_000),
    };
    const pages = new Map<string | null, Answer>();
    for (let start = 0; start === 0 || start < length; start += SWIFT_PAGE) {
      const page = names.slice(start, start + SWIFT_PAGE).map((name) => ({
        name,
        count: 7,
        bytes: 1_000_000,
        last_modified: '2026-11-22T14:51:45.242114',
        storage_policy: 'gold',
      }));
      pages.set(start === 0 ? null : (names[start - 1] ?? null), json(JSON.stringify(page), 200, headers));
    }
    cloud.routes.set(`/swift/v1/AUTH_${project}`, (asked, response) => {
      if (asked.method === 'HEAD') {
        response.writeHead(204, headers).end();
        return;
      }
      const marker = new URL(asked.path, cloud.url).searchParams.get('marker');
      return (pages.get(marker) ?? json('[]'))(asked, response);
    });
  }
}
