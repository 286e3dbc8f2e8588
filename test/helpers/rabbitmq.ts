/** A private RabbitMQ: own node, ports, folders and cookie, on loopback, gone without a trace after the tests. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type ChannelModel, connect } from 'amqplib';
import { type Guarded, spawnGuarded } from './guarded.ts';
import { freePorts, listens } from './ports.ts';

const VHOSTS = 30;
/** What the broker takes at most in one message. */
export const MAX_MESSAGE_BYTES = 1_000_000;
const START_DEADLINE = 100_000;

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Rabbitmq extends AsyncDisposable {
  readonly port: number;
  /** 0 without TLS files. */
  readonly tlsPort: number;
  /** A virtual host that no other test uses. */
  vhost(): string;
  /** A plain connection of a stock client, for looking at what arrives. */
  connect(vhost: string): Promise<ChannelModel>;
  /** Runs Erlang code in the broker: a slow but mighty way to bring it into a state. */
  evaluate(code: string): Promise<string>;
  /** Runs rabbitmqctl; returns what it prints. */
  ctl(...args: string[]): Promise<string>;
}

/** Users are `guest`/`guest`, and `té:st@/`/`p@ss/wörd` for what has to be escaped in a URL. */
export async function startRabbitmq(options: { readonly tls?: TlsFiles } = {}): Promise<Rabbitmq> {
  const folder = mkdtempSync(join(tmpdir(), 'ceilometer-rabbitmq-'));
  const [port = 0, tlsPort = 0, distPort = 0, epmdPort = 0] = await freePorts(4);
  const env = environment(folder, distPort, epmdPort);
  writeFileSync(join(folder, 'rabbitmq.conf'), configuration(folder, port, tlsPort, options.tls));
  writeFileSync(join(folder, 'definitions.json'), JSON.stringify(definitions()));
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n');
  writeFileSync(join(folder, 'env.conf'), '');
  mkdirSync(join(folder, 'log'));

  // The broker would start a port mapper of its own that outlives it, where it finds none.
  const epmd = spawnGuarded('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], env);
  await listens(epmdPort);
  const broker = spawnGuarded(serverScript(), [], env);
  const stop = async () => {
    await Promise.all([broker.kill(), epmd.kill()]);
    rmSync(folder, { recursive: true, force: true });
  };

  const url = (vhost: string) => `amqp://guest:guest@127.0.0.1:${port}/${encodeURIComponent(vhost)}?heartbeat=0`;
  const started = await ready(url('v0'), broker);
  if (!started) {
    const log = logOf(folder);
    await stop();
    throw new Error(`RabbitMQ did not start:\n${log}`);
  }

  const ctl = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(ctlScript(), ['-q', ...args], { env, timeout: 60_000 });
    return stdout.trim();
  };
  let used = 0;
  return {
    port,
    tlsPort: options.tls === undefined ? 0 : tlsPort,
    vhost() {
      used += 1;
      if (used >= VHOSTS) throw new Error('no virtual host is left');
      return `v${used}`;
    },
    async connect(vhost) {
      const connection = await connect(url(vhost));
      // It may outlive the broker in a test that fails.
      connection.on('error', () => {});
      return connection;
    },
    ctl,
    evaluate: (code) => ctl('eval', code),
    [Symbol.asyncDispose]: stop,
  };
}

function environment(folder: string, distPort: number, epmdPort: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // The cookie is kept in the home folder.
    HOME: folder,
    RABBITMQ_NODENAME: `ceilometer-${randomBytes(4).toString('hex')}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'env.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}',
    // Lets the start script turn into the broker instead of waiting for it.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_START_ARGS: '-noinput',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
}

function configuration(folder: string, port: number, tlsPort: number, tls: TlsFiles | undefined): string {
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    `load_definitions = ${join(folder, 'definitions.json')}`,
    'disk_free_limit.absolute = 1MB',
    'log.file.level = info',
    `max_message_size = ${MAX_MESSAGE_BYTES}`,
  ];
  if (tls !== undefined) {
    lines.push(
      `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
      `ssl_options.cacertfile = ${tls.ca}`,
      `ssl_options.certfile = ${tls.cert}`,
      `ssl_options.keyfile = ${tls.key}`,
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = false',
    );
  }
  return `${lines.join('\n')}\n`;
}

function definitions(): object {
  const users = [
    { name: 'nobody', password: 'guest', tags: '' },
    { name: 'guest', password: 'guest', tags: 'administrator' },
    { name: 'té:st@/', password: 'p@ss/wörd', tags: '' },
  ];
  const vhosts = Array.from({ length: VHOSTS }, (_, index) => ({ name: `v${index}` }));
  const all = { configure: '.*', write: '.*', read: '.*' };
  const permissions = vhosts.flatMap(({ name }) =>
    users.slice(1).map((user) => ({ user: user.name, vhost: name, ...all })),
  );
  return { users, vhosts, permissions };
}

/** Debian's wrapper on the path changes the user; what it starts does not. */
function serverScript(): string {
  const real = '/usr/lib/rabbitmq/bin/rabbitmq-server';
  return existsSync(real) ? real : 'rabbitmq-server';
}

function ctlScript(): string {
  const real = '/usr/lib/rabbitmq/bin/rabbitmqctl';
  return existsSync(real) ? real : 'rabbitmqctl';
}

async function ready(url: string, broker: Guarded): Promise<boolean> {
  const end = Date.now() + START_DEADLINE;
  while (Date.now() < end && broker.running) {
    try {
      const connection = await connect(url, { timeout: 2000 });
      await connection.close();
      return true;
    } catch {
      await sleep(100);
    }
  }
  return false;
}

function logOf(folder: string): string {
  const files = readdirSync(join(folder, 'log')).map((name) => join(folder, 'log', name));
  return files.map((file) => readFileSync(file, 'utf8').slice(-4000)).join('\n') || '(no log)';
}
