import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Guarded, spawnGuarded } from './guarded.ts';
import { listens } from './ports.ts';

/** A service on loopback that a test takes away for a while. */
export interface Restartable extends AsyncDisposable {
  readonly port: number;
  /** Kills it. */
  stop(): Promise<void>;
  /** Starts it over what it left. */
  start(): Promise<void>;
}

/** Starts a server with a folder of its own, which `prepare` fills and names the arguments for. */
export async function startRestartable(
  command: string,
  port: number,
  prepare: (folder: string) => readonly string[],
): Promise<Restartable> {
  const folder = mkdtempSync(join(tmpdir(), `ceilometer-${command}-`));
  const args = prepare(folder);
  let server: Guarded | undefined;
  const start = async () => {
    server = spawnGuarded(command, args, process.env);
    await listens(port);
  };
  const stop = async () => server?.kill();
  await start();
  return {
    port,
    start,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Certificates as makePki makes them; clients have to show one, too. */
export interface ServerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}
