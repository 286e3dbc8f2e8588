import { join } from 'node:path';
import { freePorts } from './ports.ts';
import { type Restartable, type ServerTls, startRestartable } from './restartable.ts';

/** A private etcd. */
export async function startEtcd(tls?: ServerTls): Promise<Restartable> {
  const [port = 0, peerPort = 0] = await freePorts(2);
  const client = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return startRestartable('etcd', port, (folder) => [
    ...['--name', 'one', '--data-dir', join(folder, 'data'), '--log-level', 'error'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `one=${peer}`],
    ...(tls === undefined
      ? []
      : ['--cert-file', tls.cert, '--key-file', tls.key, '--trusted-ca-file', tls.ca, '--client-cert-auth']),
  ]);
}
