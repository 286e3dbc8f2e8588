/** Tells existing tooling, over a unix socket, when each pollster last succeeded: `<pollster> <timestamp>` lines. */
import { unlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { ConfigError, describeError } from '../errors.ts';
import { isoTimestamp } from '../sample.ts';
import { createLeases, type Lease } from '../util/leases.ts';

export interface Heartbeat {
  beat(pollster: string, time: number): void;
  close(): Promise<void>;
}

export type OpenHeartbeat = (folder: string, namespaces: readonly string[]) => Promise<Lease<Heartbeat>>;

/**
 * Opens heartbeats for one configuration after another; for one folder and namespaces they share the socket. A new
 * one in its place would go with the old one, for closing a unix socket removes whatever is at its path.
 */
export function heartbeatOpener(): OpenHeartbeat {
  const lease = createLeases<Promise<Heartbeat>>(async (heartbeat) => (await heartbeat).close());
  return async (folder, namespaces) => {
    const { value, release } = lease(socketPath(folder, namespaces), () => openHeartbeat(folder, namespaces));
    try {
      return { value: await value, release };
    } catch (err) {
      await release().catch(() => {});
      throw err;
    }
  };
}

function socketPath(folder: string, namespaces: readonly string[]): string {
  return join(folder, `ceilometer-${[...namespaces].sort().join('-')}.socket`);
}

/** Listens on `ceilometer-<namespaces>.socket` in the folder. Whoever connects is sent all lines, then the end. */
export async function openHeartbeat(folder: string, namespaces: readonly string[]): Promise<Heartbeat> {
  const path = socketPath(folder, namespaces);
  const beats = new Map<string, number>();
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => {}).on('close', () => clients.delete(client));
    client.end([...beats].map(([pollster, time]) => `${pollster} ${isoTimestamp(time)}`).join('\n'));
  });
  removeSocket(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err) => {
      reject(
        new ConfigError(`[polling] heartbeat_socket_dir: cannot listen on ${path}: ${describeError(err)}`, {
          cause: err,
        }),
      );
    });
    server.listen(path, resolve);
  });
  return {
    beat(pollster, time) {
      beats.set(pollster, time);
    },
    close() {
      for (const client of clients) client.destroy();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** Left behind by an agent that was killed. */
function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // There was none; if it is there and stays, listening says why.
  }
}
