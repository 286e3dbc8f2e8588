/** Private Redis servers and sentinels. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from './ports.ts';
import { type Restartable, type ServerTls, startRestartable } from './restartable.ts';

/** It keeps nothing over a restart. `lines` are of redis.conf. */
export async function startRedis(lines: readonly string[] = [], tls?: ServerTls): Promise<Restartable> {
  const [port = 0] = await freePorts(1);
  const encrypted = (files: ServerTls) => [
    ...['port 0', `tls-port ${port}`, `tls-ca-cert-file ${files.ca}`],
    ...[`tls-cert-file ${files.cert}`, `tls-key-file ${files.key}`],
  ];
  const listening = tls === undefined ? [`port ${port}`] : encrypted(tls);
  return startServer('redis-server', port, [...listening, 'save ""', 'appendonly no', ...lines]);
}

/** Watches a master under the name `mymaster`; finds it away after half a second. */
export async function startSentinel(masterPort: number): Promise<Restartable> {
  const [port = 0] = await freePorts(1);
  return startServer('redis-sentinel', port, [
    `port ${port}`,
    `sentinel monitor mymaster 127.0.0.1 ${masterPort} 1`,
    'sentinel down-after-milliseconds mymaster 500',
    'sentinel failover-timeout mymaster 2000',
  ]);
}

function startServer(command: string, port: number, lines: readonly string[]): Promise<Restartable> {
  return startRestartable(command, port, (folder) => {
    const file = join(folder, 'redis.conf');
    writeFileSync(file, `${['bind 127.0.0.1', `dir ${folder}`, ...lines].join('\n')}\n`);
    return [file];
  });
}
