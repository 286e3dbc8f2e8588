/** libvirt's connection URIs: which daemon to talk to, how to get there, and what to ask it to open. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { nearest } from '../util/nearest.ts';
import type { PkiFiles, Transport, UriParts } from './uri-parts.ts';
import { flag } from './uri-parts.ts';
import { sshTransport } from './uri-ssh.ts';

export interface VirtUri {
  /** As the operator wrote it. */
  readonly text: string;
  /** What the daemon is asked to open: the URI without its way there. */
  readonly name: string;
  readonly transport: Transport;
}

/** Whose sockets and certificates are meant. */
export interface UserEnvironment {
  readonly uid: number;
  readonly home: string;
  readonly runtimeDir: string | undefined;
}

/** Those of libvirt. One that is like none of them may be newer. */
const drivers = 'qemu lxc test remote xen vz parallels ch bhyve openvz vbox vmware esx gsx vpx hyperv'.split(' ');

const TCP_PORT = 16_509;
const TLS_PORT = 16_514;

/** Parameters that libvirt knows. Those that change nothing for us are accepted, those we cannot honour are refused. */
const parameters = new Map<string, 'used' | 'ignored' | 'refused'>([
  ['name', 'used'],
  ['socket', 'used'],
  ['mode', 'used'],
  ['command', 'used'],
  ['keyfile', 'used'],
  ['netcat', 'used'],
  ['proxy', 'used'],
  ['no_verify', 'used'],
  ['pkipath', 'used'],
  ['no_tty', 'ignored'],
  ['no_sanity', 'ignored'],
  ['auth', 'refused'],
  ['authfile', 'refused'],
  ['sshauth', 'refused'],
  ['known_hosts', 'refused'],
  ['known_hosts_verify', 'refused'],
  ['tls_priority', 'refused'],
]);

/** What `libvirt_type` stands for when no URI is given. */
export function defaultVirtUri(libvirtType: string): string {
  if (libvirtType === 'lxc') return 'lxc:///';
  if (libvirtType === 'parallels') return 'parallels:///system';
  return 'qemu:///system';
}

function currentUser(): UserEnvironment {
  return { uid: process.geteuid?.() ?? 0, home: homedir(), runtimeDir: process.env['XDG_RUNTIME_DIR'] };
}

/** Throws a {@link ConfigError} for a URI that is wrong or asks for what is not supported. */
export function parseVirtUri(text: string, user: UserEnvironment = currentUser()): VirtUri {
  const match = /^([a-z][a-z0-9]*)(?:\+([a-z0-9]+))?:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i.exec(text);
  if (match === null)
    throw new ConfigError(`not a libvirt URI: ${JSON.stringify(text)} (expected e.g. qemu:///system)`);
  const [, driver = '', transport, authority = '', path = '', query = ''] = match;
  const params = parseQuery(text, query);
  const parts = { text, driver: knownDriver(driver.toLowerCase()), ...parseAuthority(text, authority), path, params };
  // `remote` leaves the choice of the driver to the daemon.
  const name = params.get('name') ?? (parts.driver === 'remote' ? '' : `${parts.driver}://${path}`);
  const kind = transport?.toLowerCase() ?? (parts.host === '' ? 'unix' : 'tls');
  return { text, name, transport: makeTransport(kind, { ...parts, name }, user) };
}

function knownDriver(driver: string): string {
  if (drivers.includes(driver)) return driver;
  const near = nearest(driver, drivers);
  if (near !== undefined) throw new ConfigError(`unknown libvirt driver ${driver}, did you mean ${near}`);
  return driver;
}

function makeTransport(kind: string, parts: UriParts, user: UserEnvironment): Transport {
  const host = parts.host || 'localhost';
  switch (kind) {
    case 'unix':
      if (parts.host !== '') throw new ConfigError(`a unix socket has no host: ${parts.text}`);
      return { kind, sockets: unixSockets(parts, user) };
    case 'tcp':
      return { kind, host, port: parts.port ?? TCP_PORT };
    case 'tls': {
      const verify = !flag(parts, 'no_verify');
      return { kind, host, port: parts.port ?? TLS_PORT, verify, pki: pkiFiles(parts.params.get('pkipath'), user) };
    }
    case 'ssh':
      return sshTransport({ ...parts, host });
    default:
      throw new ConfigError(`libvirt transport ${kind} is not supported: ${parts.text} (unix, tcp, tls or ssh)`);
  }
}

function parseQuery(text: string, query: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const pair of query.split(/[&;]/)) {
    if (pair === '') continue;
    const [key = '', ...rest] = pair.split('=');
    const name = decodePercent(text, key).toLowerCase();
    const use = parameters.get(name);
    if (use === undefined) throw new ConfigError(`unknown parameter ${name} in libvirt URI ${text}`);
    if (use === 'refused') throw new ConfigError(`parameter ${name} is not supported in libvirt URI ${text}`);
    if (use === 'used') params.set(name, decodePercent(text, rest.join('=')));
  }
  return params;
}

function parseAuthority(text: string, authority: string): { host: string; port: number | undefined; user: string } {
  const match = /^(?:([^@]*)@)?(\[[^\]]*\]|[^:@]*)(?::(\d{1,5}))?$/.exec(authority);
  const [, user = '', host = '', digits] = match ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  // Not to be shown: what stands behind the colon may be a password, which libvirt has no use for.
  if (user.includes(':')) throw new ConfigError('a libvirt URI takes a user, but no password');
  if (match === null || (port !== undefined && (port === 0 || port > 65_535))) {
    throw new ConfigError(`not a host and port: ${JSON.stringify(authority)} in libvirt URI ${text}`);
  }
  return { user: decodePercent(text, user), host: decodePercent(text, host.replace(/^\[|\]$/g, '')), port };
}

/** Percent-escapes only: libvirt does not read `+` as a space. */
function decodePercent(text: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new ConfigError(`bad percent-escape in libvirt URI ${text}`);
  }
}

/**
 * libvirt's own search: the socket of the driver's daemon, else that of libvirtd (or of the proxy in its place).
 * The read-only sockets come first, as the agent changes nothing; the full ones serve where only they were shared.
 */
function unixSockets(parts: UriParts, user: UserEnvironment): readonly string[] {
  const given = parts.params.get('socket');
  if (given !== undefined) return [given];
  const daemons = daemonNames(parts);
  if (user.uid !== 0 && (parts.path === '/session' || parts.driver === 'test')) {
    const folder = join(user.runtimeDir ?? join(user.home, '.cache'), 'libvirt');
    return daemons.map((daemon) => join(folder, `${daemon}-sock`));
  }
  return ['sock-ro', 'sock'].flatMap((kind) => daemons.map((daemon) => `/run/libvirt/${daemon}-${kind}`));
}

function daemonNames(parts: UriParts): readonly string[] {
  const direct = `virt${parts.driver}d`;
  const mode = parts.params.get('mode') ?? 'auto';
  switch (mode) {
    case 'auto':
      return parts.driver === 'remote' ? ['libvirt'] : [direct, 'libvirt'];
    case 'legacy':
      return ['libvirt'];
    case 'direct':
      return [direct];
    default:
      throw new ConfigError(`parameter mode is auto, legacy or direct in libvirt URI ${parts.text}`);
  }
}

function pkiFiles(path: string | undefined, user: UserEnvironment): readonly PkiFiles[] {
  const inFolder = (folder: string): PkiFiles => ({
    ca: join(folder, 'cacert.pem'),
    cert: join(folder, 'clientcert.pem'),
    key: join(folder, 'clientkey.pem'),
  });
  if (path !== undefined) return [inFolder(path)];
  const system: PkiFiles = {
    ca: '/etc/pki/CA/cacert.pem',
    cert: '/etc/pki/libvirt/clientcert.pem',
    key: '/etc/pki/libvirt/private/clientkey.pem',
  };
  return user.uid === 0 ? [system] : [inFolder(join(user.home, '.pki', 'libvirt')), system];
}
