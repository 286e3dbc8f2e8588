/**
 * The real services that tests run against. Missing ones are installed with apt-get when the tests run as root on
 * Debian; `CEILOMETER_TEST_SERVICES=skip` leaves their tests out, `=require` fails without them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

interface Service {
  /** Tests of this are a command of their own: `npm run test:openstack`. */
  readonly apart?: true;
  readonly binaries: readonly string[];
  readonly packages: readonly string[];
}

/** What services of OpenStack need that run under uWSGI over MariaDB. */
const underUwsgi = {
  binaries: ['uwsgi_python3', 'mariadbd', 'mariadb', 'mariadb-install-db'],
  packages: ['uwsgi-core', 'uwsgi-plugin-python3', 'mariadb-server-core', 'mariadb-client-core', 'python3-pymysql'],
};

const services = {
  openssl: { binaries: ['openssl'], packages: ['openssl'] },
  rabbitmq: { binaries: ['rabbitmq-server', 'rabbitmqctl'], packages: ['rabbitmq-server'] },
  etcd: { binaries: ['etcd'], packages: ['etcd-server'] },
  redis: { binaries: ['redis-server', 'redis-sentinel'], packages: ['redis-server', 'redis-sentinel'] },
  postgresql: { binaries: ['initdb', 'postgres', 'setpriv'], packages: ['postgresql', 'util-linux'] },
  chromium: { binaries: ['chromium'], packages: ['chromium', 'fonts-dejavu-core'] },
  systemd: {
    binaries: ['systemctl', 'systemd-analyze', 'systemd-notify', 'systemd-sysusers', 'unshare', 'nsenter'],
    packages: ['systemd', 'util-linux'],
  },
  libvirt: {
    binaries: ['libvirtd', 'virsh', 'qemu-system-x86_64', 'qemu-img', 'unshare', 'ip'],
    packages: [
      'libvirt-daemon',
      'libvirt-daemon-driver-qemu',
      'libvirt-daemon-system',
      'libvirt-clients',
      'qemu-system-x86',
      'qemu-utils',
      'iproute2',
    ],
  },
  gnocchi: {
    apart: true,
    binaries: ['gnocchi-metricd', 'gnocchi-upgrade', ...underUwsgi.binaries],
    packages: ['python3-gnocchi', ...underUwsgi.packages],
  },
  keystone: {
    apart: true,
    binaries: ['keystone-manage', 'keystone-wsgi-public', ...underUwsgi.binaries],
    packages: ['keystone', ...underUwsgi.packages],
  },
  openstack: {
    apart: true,
    binaries: [
      'keystone-manage',
      ...underUwsgi.binaries,
      'rabbitmq-server',
      'memcached',
      'glance-wsgi-api',
      'swift-proxy-server',
      'swift-account-server',
      'swift-container-server',
      'swift-object-server',
      'neutron-server',
      'neutron-db-manage',
      'cinder-wsgi',
      'cinder-scheduler',
      'cinder-volume',
    ],
    packages: [
      'keystone',
      ...underUwsgi.packages,
      'rabbitmq-server',
      'memcached',
      'glance-api',
      'swift-proxy',
      'swift-account',
      'swift-container',
      'swift-object',
      'neutron-server',
      'cinder-api',
      'cinder-scheduler',
      'cinder-volume',
    ],
  },
} satisfies Record<string, Service>;

export type ServiceName = keyof typeof services;

const all = Object.keys(services) as ServiceName[];
const isApart = (name: ServiceName) => 'apart' in services[name];
const mode = process.env['CEILOMETER_TEST_SERVICES'] ?? '';

/** Debian keeps the programs of each version of PostgreSQL in a folder of its own. */
const POSTGRESQL = '/usr/lib/postgresql';

function folders(): readonly string[] {
  const versions = existsSync(POSTGRESQL) ? readdirSync(POSTGRESQL).sort((a, b) => Number(b) - Number(a)) : [];
  const bins = versions.map((version) => join(POSTGRESQL, version, 'bin'));
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', ...bins];
}

/** Where a program is; its name where it is nowhere. */
export function findBinary(binary: string): string {
  return (
    folders()
      .map((folder) => join(folder, binary))
      .find((path) => existsSync(path)) ?? binary
  );
}

function onPath(binary: string): boolean {
  return findBinary(binary) !== binary;
}

function missing(name: ServiceName): readonly string[] {
  return services[name].binaries.filter((binary) => !onPath(binary));
}

/** True when the tests of a service run in this session. */
export function has(name: ServiceName): boolean {
  return mode !== 'skip' && missing(name).length === 0;
}

/** A `describe` for tests that need real services; where one is missing, the whole block is reported as skipped. */
export function describeWith(needed: ServiceName | readonly ServiceName[], title: string, body: () => void): void {
  const list = typeof needed === 'string' ? [needed] : needed;
  const absent = list.filter((name) => !has(name));
  if (absent.length === 0) describe(title, body);
  else describe.skip(`${title} (needs ${absent.join(', ')})`, body);
}

function install(packages: readonly string[]): void {
  console.log(`tests: installing with apt-get: ${packages.join(' ')}`);
  // Debian starts a service when its package is installed; the tests bring up private instances instead.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const run = spawnSync('apt-get', args, { env, encoding: 'utf8' });
    if (run.status !== 0) {
      console.log(`tests: apt-get ${args[0]} failed: ${run.stderr.trim().split('\n').at(-1) ?? ''}`);
      return;
    }
  }
}

/** Runs once before all test files. */
export default function setup(): void {
  prepare(all.filter((name) => !isApart(name)));
}

export function prepareApart(): void {
  prepare(all.filter(isApart));
}

function prepare(names: readonly ServiceName[]): void {
  if (mode === 'skip') {
    console.log(`tests: CEILOMETER_TEST_SERVICES=skip leaves out the tests that need ${names.join(', ')}`);
    return;
  }
  const absent = names.filter((name) => missing(name).length > 0);
  if (absent.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    install(absent.flatMap((name) => [...services[name].packages]));
  }
  const still = names.filter((name) => missing(name).length > 0);
  if (still.length === 0) return;
  const text = still.map((name) => `${name} (no ${missing(name).join(', ')})`).join('; ');
  if (mode === 'require') throw new Error(`CEILOMETER_TEST_SERVICES=require, but missing: ${text}`);
  console.log(`tests: left out for want of ${text}`);
}
