/** A real Keystone of Debian's packages on free ports, with a database of its own: SQLite locks up under it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

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

const PASSWORD = 'very secret';

export async function startKeystone({ tokenLife }: KeystoneOptions): Promise<Keystone> {
  const folder = await mkdtemp(join(tmpdir(), 'ceilometer-keystone-'));
  const started: ChildProcess[] = [];

  async function close(): Promise<void> {
    for (const child of started.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  }

  async function start(port: number, command: string, args: readonly string[], env = {}): Promise<void> {
    const log = join(folder, `${command}.log`);
    const file = openSync(log, 'a');
    const child = spawn(command, args, { stdio: ['ignore', file, file], env: { ...process.env, ...env } });
    started.push(child);
    for (let tries = 0; tries < 300; tries += 1) {
      if (await listens(port)) return;
      if (child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${command} did not come up: ${(await readFile(log, 'utf8')).slice(-2000)}`);
  }

  try {
    const [database, port] = [await freePort(), await freePort()];
    const path = (name: string) => join(folder, name);
    const url = `http://127.0.0.1:${port}`;
    const common = ['--no-defaults', '--user=root', `--datadir=${path('data')}`];
    await run('mariadb-install-db', [...common, '--auth-root-authentication-method=normal', '--skip-test-db']);
    const quick = ['--skip-log-bin', '--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0'];
    const socket = `--socket=${path('sock')}`;
    await start(database, 'mariadbd', [
      ...common,
      socket,
      `--pid-file=${path('pid')}`,
      '--bind-address=127.0.0.1',
      `--port=${database}`,
      ...quick,
    ]);
    const grant = "GRANT ALL ON keystone.* TO 'k'@'127.0.0.1' IDENTIFIED BY 'k'";
    await run('mariadb', ['--no-defaults', socket, '-u', 'root', '-e', `CREATE DATABASE keystone; ${grant}`]);
    await mkdir(path('etc'));
    await writeFile(
      path('etc/keystone.conf'),
      [
        '[DEFAULT]',
        'use_stderr = true',
        '[database]',
        `connection = mysql+pymysql://k:k@127.0.0.1:${database}/keystone?charset=utf8`,
        '[token]',
        `expiration = ${tokenLife}`,
        '[fernet_tokens]',
        `key_repository = ${path('fernet')}`,
        '[fernet_receipts]',
        `key_repository = ${path('fernet')}`,
        '[credential]',
        `key_repository = ${path('credential')}`,
      ].join('\n'),
    );
    const manage = (...args: readonly string[]) =>
      run('keystone-manage', ['--config-file', path('etc/keystone.conf'), ...args]);
    const asRoot = ['--keystone-user', 'root', '--keystone-group', 'root'];
    await manage('db_sync');
    await manage('fernet_setup', ...asRoot);
    await manage('credential_setup', ...asRoot);
    const urls = ['public', 'internal', 'admin'].map((face) => `--bootstrap-${face}-url=${url}/v3`);
    await manage('bootstrap', '--bootstrap-password', PASSWORD, '--bootstrap-region-id', 'RegionOne', ...urls);
    const server = ['--http-socket', `127.0.0.1:${port}`, '--wsgi-file', '/usr/bin/keystone-wsgi-public'];
    const settings = ['--processes', '1', '--threads', '4', '--enable-threads', '--die-on-term', '--need-app'];
    const connection = ['--buffer-size', '65535', '--add-header', 'Connection: close'];
    await start(port, 'uwsgi_python3', [...server, ...settings, ...connection], {
      OS_KEYSTONE_CONFIG_DIR: path('etc'),
    });
    return { url, password: PASSWORD, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
