/** A private PostgreSQL: own cluster, port and folder, on loopback, gone without a trace after the tests. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Guarded, spawnGuarded } from './guarded.ts';
import { freePorts } from './ports.ts';
import { findBinary } from './services.ts';

const START_DEADLINE = 60_000;
/** The server refuses to run as root. */
const NOBODY = 65_534;

export interface Postgresql extends AsyncDisposable {
  /** Creates a database that no other test uses; returns its URL. */
  database(): Promise<string>;
  /** Runs one statement in a database. */
  query(url: string, sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Kills the server as a power cut would, and starts it again. */
  crash(): Promise<void>;
}

export async function startPostgresql(): Promise<Postgresql> {
  const folder = mkdtempSync(join(tmpdir(), 'ceilometer-postgresql-'));
  const [port = 0] = await freePorts(1);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const [initdb, postgres] = [findBinary('initdb'), findBinary('postgres')];
  execFileSync(
    initdb,
    ['-D', join(folder, 'data'), '-U', 'ceilometer', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { cwd: folder, stdio: 'ignore', ...(isRoot && { uid: NOBODY, gid: NOBODY }) },
  );

  const url = (database: string) => `postgresql://ceilometer@127.0.0.1:${port}/${database}`;
  async function query(at: string, sql: string) {
    const client = new pg.Client({ connectionString: at, connectionTimeoutMillis: 2000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return (await client.query(sql)).rows;
    } finally {
      await client.end().catch(() => {});
    }
  }

  async function start(): Promise<Guarded> {
    const program = isRoot
      ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', postgres]
      : [postgres];
    const [command = postgres, ...args] = program;
    const options = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${folder}`];
    const settings = [...options, 'max_connections=60', 'shared_buffers=64MB'].flatMap((option) => ['-c', option]);
    const server = spawnGuarded(command, [...args, '-D', join(folder, 'data'), ...settings], process.env);
    const end = Date.now() + START_DEADLINE;
    for (;;) {
      try {
        await query(url('postgres'), 'SELECT 1');
        return server;
      } catch (error) {
        if (Date.now() > end || !server.running) throw new Error('PostgreSQL did not start', { cause: error });
        await sleep(50);
      }
    }
  }

  let server = await start();
  return {
    query,
    async database() {
      const name = `d${randomBytes(6).toString('hex')}`;
      await query(url('postgres'), `CREATE DATABASE ${name}`);
      return url(name);
    },
    async crash() {
      await server.kill();
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await server.kill();
      // Its children end when they see that it is gone.
      for (let tries = 0; tries < 50; tries++) {
        try {
          rmSync(folder, { recursive: true, force: true });
          return;
        } catch {
          await sleep(100);
        }
      }
    },
  };
}
