import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageSplitter, REMOTE_PROGRAM } from '../../src/libvirt/rpc.ts';

export interface RpcTap {
  readonly uri: string;
  /** Procedures called through it so far. */
  readonly calls: readonly number[];
  forgetCalls(): void;
  close(): Promise<void>;
}

/** A socket in front of a libvirt socket that notes which calls pass. */
export async function tapRpc(target: string): Promise<RpcTap> {
  const folder = await mkdtemp(join(tmpdir(), 'rpc-tap-'));
  const path = join(folder, 'sock');
  const sockets = new Set<Socket>();
  let calls: number[] = [];
  const server = createServer((client) => {
    const upstream = connect(target);
    const splitter = new MessageSplitter();
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        sockets.delete(socket);
      });
    }
    client.on('data', (chunk: Buffer) => {
      for (const { program, procedure } of splitter.push(chunk)) if (program === REMOTE_PROGRAM) calls.push(procedure);
    });
    client.pipe(upstream).pipe(client);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    uri: `qemu+unix:///system?socket=${path}`,
    get calls() {
      return calls;
    },
    forgetCalls() {
      calls = [];
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
