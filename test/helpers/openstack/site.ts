/** Where the services of a private OpenStack live: a folder, a database, and processes that go with the tests. */
import { execFile } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Guarded, spawnGuarded } from '../guarded.ts';
import { freePorts, listens } from '../ports.ts';

const run = promisify(execFile);

/** `[group] option = value`, by group. */
export type Ini = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;

export interface Site {
  /** A path in the folder of the site, which goes with it. */
  path(...parts: readonly string[]): string;
  folder(...parts: readonly string[]): Promise<string>;
  writeIni(name: string, ini: Ini): Promise<string>;
  /** Runs a command to its end; fails with what it said. */
  run(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<void>;
  /** A server in the foreground, once its port listens; without a port, at once. */
  start(command: string, args: readonly string[], settings?: StartSettings): Promise<void>;
  /** A WSGI application under uWSGI. */
  startWsgi(file: string, port: number, settings?: { env?: NodeJS.ProcessEnv; args?: string }): Promise<void>;
  /** A new database, as SQLAlchemy's URL. SQLite locks up under these services. */
  database(name: string): Promise<string>;
  close(): Promise<void>;
}

interface StartSettings {
  readonly port?: number;
  readonly env?: NodeJS.ProcessEnv;
}

const USER = 'tests';
/** The services read fixed paths where they are not told otherwise, so that they get no more of ours than they need. */
const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`;

export async function openSite(): Promise<Site> {
  const root = await mkdtemp(join(tmpdir(), 'ceilometer-openstack-'));
  const path = (...parts: readonly string[]) => join(root, ...parts);
  const started: Guarded[] = [];

  async function close(): Promise<void> {
    await Promise.all(started.splice(0).map((server) => server.kill()));
    // Children of a server that was killed notice it a little later.
    await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  async function folder(...parts: readonly string[]): Promise<string> {
    await mkdir(path(...parts), { recursive: true });
    return path(...parts);
  }

  async function start(command: string, args: readonly string[], { port, env }: StartSettings = {}): Promise<void> {
    const log = path(`${[command, port].join('-')}.log`);
    const file = openSync(log, 'a');
    const server = spawnGuarded(command, args, { ...process.env, PATH, ...env }, file);
    closeSync(file);
    started.push(server);
    if (port === undefined) return;
    const ended = async () => {
      while (server.running) await sleep(100);
      throw new Error('it has ended');
    };
    try {
      await Promise.race([listens(port, 60_000), ended()]);
    } catch (cause) {
      throw new Error(`${command} did not come up: ${(await readFile(log, 'utf8')).slice(-3000)}`, { cause });
    }
  }

  try {
    const sql = await startDatabase(await folder('mariadb'), start);
    return {
      path,
      folder,
      close,
      start,
      async writeIni(name, ini) {
        await writeFile(path(name), iniText(ini));
        return path(name);
      },
      async run(command, args, env = {}) {
        await run(command, args, { env: { ...process.env, PATH, ...env } });
      },
      startWsgi(file, port, { env = {}, args } = {}) {
        const settings = ['--processes', '1', '--threads', '4', '--enable-threads', '--die-on-term', '--need-app'];
        const connection = ['--buffer-size', '65535', '--add-header', 'Connection: close'];
        const server = ['--http-socket', `127.0.0.1:${port}`, '--wsgi-file', file];
        const own = args === undefined ? [] : ['--pyargv', args];
        return start('uwsgi_python3', [...server, ...settings, ...connection, ...own], { port, env });
      },
      async database(name) {
        await sql.run(
          `CREATE DATABASE ${name}; GRANT ALL ON ${name}.* TO '${USER}'@'127.0.0.1' IDENTIFIED BY '${USER}'`,
        );
        return `mysql+pymysql://${USER}:${USER}@127.0.0.1:${sql.port}/${name}?charset=utf8`;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startDatabase(folder: string, start: Site['start']) {
  const [port = 0] = await freePorts(1);
  const common = ['--no-defaults', '--user=root', `--datadir=${join(folder, 'data')}`];
  await run('mariadb-install-db', [...common, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    env: { ...process.env, PATH },
  });
  const socket = `--socket=${join(folder, 'sock')}`;
  const quick = ['--skip-log-bin', '--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0'];
  const network = ['--bind-address=127.0.0.1', `--port=${port}`, '--max-connections=300'];
  await start('mariadbd', [...common, socket, `--pid-file=${join(folder, 'pid')}`, ...network, ...quick], { port });
  return {
    port,
    run: (statement: string) => run('mariadb', ['--no-defaults', socket, '-u', 'root', '-e', statement]),
  };
}

export function iniText(ini: Ini): string {
  return Object.entries(ini)
    .flatMap(([group, options]) => [
      `[${group}]`,
      ...Object.entries(options).map(([name, value]) => `${name} = ${value}`),
      '',
    ])
    .join('\n');
}
