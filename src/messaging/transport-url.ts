/** Transport URLs as oslo.messaging reads them: `rabbit://user:password@host:port[,…]/virtual_host?option=value`. */
import { ConfigError } from '../errors.ts';

export interface BrokerHost {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface TransportUrl {
  /** At least one, in the order of the URL. */
  readonly hosts: readonly BrokerHost[];
  readonly virtualHost: string;
  /** The scheme itself asks for TLS. */
  readonly tls: boolean;
  /** Options of `[oslo_messaging_rabbit]` for this URL alone, under their names in the file. */
  readonly options: Readonly<Record<string, string>>;
  /** Some hosts name a user and some do not: those are tried as `guest`, which is rarely meant. */
  readonly mixedUsers: boolean;
}

/** Whether the scheme asks for TLS. What is not here is another driver of oslo.messaging, or no driver at all. */
const schemes: ReadonlyMap<string, boolean> = new Map([
  ['rabbit', false],
  ['kombu', false],
  ['kombu+rabbit', false],
  ['kombu+amqp', false],
  ['kombu+pyamqp', false],
  ['kombu+amqps', true],
]);

const DEFAULT_PORT = 5672;
/** What RabbitMQ and kombu assume where the URL names nobody. */
const DEFAULT_USER = 'guest';
const DEFAULT_HOST = 'localhost';

const hint = 'characters such as / ? # , @ in a user name or password have to be percent-encoded';

/** Throws ConfigError; its message never holds a part of the URL that may belong to a password. */
export function parseTransportUrl(url: string): TransportUrl {
  const parts = /^([^:/?#]+):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?/.exec(url.trim());
  if (parts === null) throw invalid('expected rabbit://USER:PASSWORD@HOST:PORT/VIRTUAL_HOST');
  const [, scheme = '', authority = '', path = '', query = ''] = parts;
  const tls = schemes.get(scheme.toLowerCase());
  if (tls === undefined) throw invalid(`unknown scheme '${scheme}': only rabbit:// is supported`);
  const hosts = authority.split(',').filter((part) => part !== '');
  const named = hosts.filter((part) => part.includes('@')).length;
  return {
    hosts: (hosts.length === 0 ? [DEFAULT_HOST] : hosts).map((part, index) => parseHost(part, index + 1)),
    virtualHost: percentDecode(path.slice(1)) || '/',
    tls,
    options: parseQuery(query),
    mixedUsers: named > 0 && named < hosts.length,
  };
}

/** The URL with every password blotted out, whatever state it is in. */
export function redactTransportUrl(url: string): string {
  const [scheme = ''] = /^[^:/?#]*:\/\//.exec(url.trim()) ?? [];
  const rest = url.trim().slice(scheme.length);
  // A password with an unescaped slash reaches into what would be the path.
  const lastUser = rest.lastIndexOf('@') + 1;
  const length = rest.slice(lastUser).search(/[/?#]|$/) + lastUser;
  const hosts = rest.slice(0, length).split(',');
  return scheme + hosts.map(redactHost).join(',') + rest.slice(length);
}

function redactHost(part: string): string {
  const at = part.lastIndexOf('@');
  // Without a user it may still be the half of one whose password has an unescaped comma.
  if (at === -1) return /^(?:\[[\da-f:.]+\]|[\w.-]*)(?::\d*)?$|^[\da-f:]*$/i.test(part) ? part : '***';
  const colon = part.indexOf(':');
  const user = colon === -1 || colon > at ? '' : part.slice(0, colon + 1);
  return `${user}***${part.slice(at)}`;
}

function parseHost(part: string, position: number): BrokerHost {
  const at = part.lastIndexOf('@');
  const [, user = '', password = ''] = /^([^:]*)(?::(.*))?$/s.exec(part.slice(0, Math.max(at, 0))) ?? [];
  const address = part.slice(at + 1);
  // A bare IPv6 address cannot have a port.
  const bare = /^(?:[\da-f]*:){2,}[\da-f.]*$/i.test(address);
  const parsed = bare ? null : /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(address);
  const host = bare ? address : (parsed?.[1] ?? parsed?.[2]);
  if (host === undefined) throw invalid(`host ${position} is malformed; ${hint}`);
  return {
    host: host === '' ? DEFAULT_HOST : host,
    port: parsePort(parsed?.[3], position),
    user: percentDecode(user) || DEFAULT_USER,
    password: percentDecode(password) || DEFAULT_USER,
  };
}

function parsePort(text: string | undefined, position: number): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw invalid(`the port of host ${position} is not a number from 1 to 65535; ${hint}`);
  return port;
}

/** As Python's parse_qs: empty values are left out, repeated ones joined. */
function parseQuery(query: string): Readonly<Record<string, string>> {
  const options = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (value !== '') options.set(name, options.has(name) ? `${options.get(name)},${value}` : value);
  }
  return Object.fromEntries(options);
}

/** As Python's unquote, which leaves alone what is no escape. */
function percentDecode(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

function invalid(reason: string): ConfigError {
  return new ConfigError(`invalid transport URL: ${reason}`);
}
