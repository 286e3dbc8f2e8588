/**
 * Redis, also behind sentinels, with tooz's keys: the hash `_tooz_group:<group>` has the members, and a member is there
 * as long as `_tooz_beats:<member>` is. The client is loaded at the first call.
 */
import { readFileSync } from 'node:fs';
import { describeError, ServiceError } from '../../../errors.ts';
import { untilAborted } from '../../../util/scope.ts';
import type { CoordinationBackend } from '../backend.ts';
import { type BackendUrl, UrlOptions, wrong } from '../backend-url.ts';
import { CAPABILITIES } from '../tooz.ts';

const LEASE = 30_000;
/** Redis forgets empty hashes: this keeps a group there. It is no member. */
const CREATED = '__created__';
const ALIVE = 'Not dead!';
/** Removes members whose beat has stopped; asks again, for they may be back. */
const REMOVE_GONE =
  "for i = 2, #KEYS do if redis.call('exists', KEYS[i]) == 0 then redis.call('hdel', KEYS[1], ARGV[i - 1]) end end";

const OPTIONS = [
  'db',
  'membership_timeout',
  'namespace',
  'sentinel',
  'sentinel_fallback',
  'sentinel_password',
  'sentinel_ssl',
  'sentinel_username',
  'socket_connect_timeout',
  'socket_timeout',
  'ssl',
  'ssl_ca_certs',
  'ssl_certfile',
  'ssl_keyfile',
  'timeout',
];
const IGNORED = ['encoding', 'health_check_interval', 'lock_timeout', 'retry_on_timeout', 'socket_keepalive'];

type Module = typeof import('@redis/client');
type ClientOptions = NonNullable<Parameters<Module['createClient']>[0]>;
type SocketOptions = NonNullable<ClientOptions['socket']>;
type Client = ReturnType<typeof clientOf>;

interface Address {
  readonly host: string;
  readonly port: number;
}

export function redisBackend(url: BackendUrl, member: string): CoordinationBackend {
  const options = new UrlOptions(url, OPTIONS, IGNORED);
  const timeout = options.milliseconds(['timeout'], LEASE);
  const lease = options.milliseconds(['membership_timeout'], timeout);
  const connectTimeout = options.milliseconds(['socket_connect_timeout', 'socket_timeout'], timeout);
  const namespace = options.text('namespace') ?? '_tooz';
  const service = options.text('sentinel');
  const first = { host: url.host || 'localhost', port: url.port ?? (service === undefined ? 6379 : 26_379) };
  const sentinels = [first, ...options.all('sentinel_fallback').map(addressOf)];
  const socketPath = url.host === '' && url.path !== '' ? url.path : undefined;
  const database = options.integer('db', 0);
  const ssl = options.flag('ssl');
  const sentinelSsl = options.flag('sentinel_ssl');
  const groupKey = (group: string) => `${namespace}_group:${group}`;
  const beatKey = (name: string) => `${namespace}_beats:${name}`;
  let client: Client | undefined;

  function socketOf({ host, port }: Address, tls: boolean): SocketOptions {
    // A client that connects anew by itself would hide how long the service has been away.
    const common = { host, port, connectTimeout, reconnectStrategy: false as const };
    return tls ? { ...common, tls: true, ...certificates(options) } : common;
  }

  async function connected(options: ClientOptions, signal: AbortSignal): Promise<Client> {
    const made = clientOf(await import('@redis/client'), options);
    // What goes wrong shows in the call that is under way.
    made.on('error', () => {});
    try {
      await untilAborted(made.connect(), signal);
      return made;
    } catch (err) {
      if (made.isOpen) made.destroy();
      throw err;
    }
  }

  async function connectTo(address: Address, signal: AbortSignal): Promise<Client> {
    return connected(
      {
        socket:
          socketPath === undefined
            ? socketOf(address, ssl)
            : { path: socketPath, connectTimeout, reconnectStrategy: false },
        ...(url.user !== '' && { username: url.user }),
        ...(url.password !== '' && { password: url.password }),
        database,
      },
      signal,
    );
  }

  /** The one that the sentinels call master, if it thinks so itself. */
  async function connectToMaster(name: string, signal: AbortSignal): Promise<Client> {
    const troubles: string[] = [];
    for (const sentinel of sentinels) {
      try {
        const master = await connectTo(await masterOf(name, sentinel, signal), signal);
        const role: unknown = await untilAborted(master.sendCommand(['ROLE']), signal);
        if (Array.isArray(role) && String(role[0]) === 'master') return master;
        master.destroy();
        throw new ServiceError('the server that it names is no master any more');
      } catch (err) {
        signal.throwIfAborted();
        troubles.push(`sentinel ${sentinel.host}:${sentinel.port}: ${describeError(err)}`);
      }
    }
    throw new ServiceError(`no master of ${name}: ${troubles.join('; ')}`);
  }

  async function masterOf(name: string, sentinel: Address, signal: AbortSignal): Promise<Address> {
    const username = options.text('sentinel_username');
    const password = options.text('sentinel_password');
    const asked = await connected(
      {
        socket: socketOf(sentinel, sentinelSsl),
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
      },
      signal,
    );
    try {
      const answer: unknown = await untilAborted(
        asked.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]),
        signal,
      );
      if (!Array.isArray(answer)) throw new ServiceError(`it knows no ${name}`);
      return { host: String(answer[0]), port: Number(answer[1]) };
    } finally {
      asked.destroy();
    }
  }

  /** Runs commands; whatever goes wrong, the next ones have a new connection. */
  async function using<T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> {
    if (client !== undefined && !client.isReady) disconnect();
    client ??= service === undefined ? await connectTo(first, signal) : await connectToMaster(service, signal);
    try {
      return await untilAborted(work(client), signal);
    } catch (err) {
      disconnect();
      throw err;
    }
  }

  function disconnect(): void {
    if (client?.isOpen) client.destroy();
    client = undefined;
  }

  return {
    shown: url.shown,
    lease,
    sync(groups, signal) {
      return using(signal, async (client) => {
        const joining = client.multi().pSetEx(beatKey(member), Math.round(lease), ALIVE);
        for (const group of groups) {
          joining
            .hSetNX(groupKey(group), CREATED, '1')
            .sAdd(`${namespace}_groups`, group)
            .hSet(groupKey(group), member, CAPABILITIES)
            .hKeys(groupKey(group));
        }
        const replies: readonly unknown[] = await joining.exec();
        const named = groups.map((_, at) => textsOf(replies[4 * at + 4]).filter((name) => name !== CREATED));
        const beating = await alive(client, [...new Set(named.flat())]);
        const members = new Map<string, readonly string[]>();
        for (const [at, group] of groups.entries()) {
          const names = named[at] ?? [];
          const gone = names.filter((name) => !beating.has(name));
          if (gone.length > 0) {
            await client.eval(REMOVE_GONE, { keys: [groupKey(group), ...gone.map(beatKey)], arguments: gone });
          }
          members.set(
            group,
            names.filter((name) => beating.has(name)),
          );
        }
        return members;
      });
    },
    async leave(groups, signal) {
      await using(signal, async (client) => {
        const leaving = client.multi();
        for (const group of groups) leaving.hDel(groupKey(group), member);
        await leaving.exec();
      });
    },
    async close() {
      disconnect();
    },
  };

  async function alive(client: Client, names: readonly string[]): Promise<ReadonlySet<string>> {
    if (names.length === 0) return new Set();
    const beats = await client.mGet(names.map(beatKey));
    return new Set(names.filter((_, at) => beats[at] !== null));
  }
}

function clientOf({ createClient }: Module, options: ClientOptions) {
  return createClient({ ...options, RESP: 2, disableOfflineQueue: true });
}

function certificates(options: UrlOptions): object {
  const file = (name: string) => {
    const path = options.text(name);
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new ServiceError(`cannot read ${name} ${path}`, { cause });
    }
  };
  return { ca: file('ssl_ca_certs'), cert: file('ssl_certfile'), key: file('ssl_keyfile') };
}

function addressOf(text: string): Address {
  const [, host = '', port = ''] = /^(?:\[([^\]]+)\]|[^:]+):(\d+)$/.exec(text) ?? [];
  const name = host || text.slice(0, text.lastIndexOf(':'));
  if (port === '') throw wrong(`expected sentinel_fallback to be host:port, got ${text}`);
  return { host: name, port: Number(port) };
}

function textsOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
