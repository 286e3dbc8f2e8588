/** A private etcd on loopback, which can be stopped and started again over its data. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Guarded, spawnGuarded } from './guarded.ts';
import { freePorts, listens } from './ports.ts';
import type { Restartable } from './redis.ts';

export async function startEtcd(): Promise<Restartable> {
  const folder = mkdtempSync(join(tmpdir(), 'ceilometer-etcd-'));
  const [port = 0, peerPort = 0] = await freePorts(2);
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const args = [
    ...['--name', 'one', '--data-dir', join(folder, 'data'), '--log-level', 'error'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `one=${peer}`],
  ];
  let server: Guarded;
  const start = async () => {
    // Debian builds it for machines that it names itself.
    server = spawnGuarded('etcd', args, { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch });
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
