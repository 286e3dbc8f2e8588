/** Private Redis servers and sentinels on loopback. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Guarded, spawnGuarded } from './guarded.ts';
import { freePorts, listens } from './ports.ts';

/** A service that a test takes away for a while. */
export interface Restartable extends AsyncDisposable {
  readonly port: number;
  /** Kills it. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** It keeps nothing over a restart. `lines` are of redis.conf. */
export async function startRedis(lines: readonly string[] = []): Promise<Restartable> {
  const [port = 0] = await freePorts(1);
  return startServer('redis-server', port, ['save ""', 'appendonly no', ...lines]);
}

/** Watches a master under the name `mymaster`; finds it away after half a second. */
export async function startSentinel(masterPort: number, lines: readonly string[] = []): Promise<Restartable> {
  const [port = 0] = await freePorts(1);
  return startServer('redis-sentinel', port, [
    `sentinel monitor mymaster 127.0.0.1 ${masterPort} 1`,
    'sentinel down-after-milliseconds mymaster 500',
    'sentinel failover-timeout mymaster 2000',
    ...lines,
  ]);
}

async function startServer(command: string, port: number, lines: readonly string[]): Promise<Restartable> {
  const folder = mkdtempSync(join(tmpdir(), `ceilometer-${command}-`));
  const file = join(folder, 'redis.conf');
  writeFileSync(file, `${[`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...lines].join('\n')}\n`);
  let server: Guarded;
  const start = async () => {
    server = spawnGuarded(command, [file], process.env);
    await listens(port);
  };
  await start();
  return {
    port,
    stop: () => server.kill(),
    start,
    [Symbol.asyncDispose]: async () => {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
