import { createServer, type Server, Socket } from 'node:net';
import { freePorts } from './ports.ts';

/** Stands between a client and a server and makes trouble on demand. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections open at present. */
  readonly open: number;
  /** Connections made so far. */
  readonly accepted: number;
  /** Breaks all connections at once. */
  cut(): void;
  /** Breaks all connections as soon as so many more bytes have come from clients, and again after so many more each. */
  cutAfter(...bytes: readonly number[]): void;
  /** Lets no byte pass in any direction, as a network that swallows everything; new connections are accepted. */
  stall(): void;
  /** Ends {@link stall} and {@link refuse}. What was held back passes now. */
  forward(): Promise<void>;
  /** Breaks all connections and accepts no new ones. */
  refuse(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let stalled = false;
  let accepted = 0;
  let budget = Number.POSITIVE_INFINITY;
  let budgets: readonly number[] = [];
  let listener = newListener();
  // Nobody may take it while the proxy refuses.
  const [port = 0] = await freePorts(1);
  await listen(listener, port);

  function newListener(): Server {
    return createServer((client) => {
      accepted += 1;
      const pair = { client, server: new Socket().connect(targetPort, '127.0.0.1') };
      pairs.add(pair);
      pipe(pair.client, pair.server, (bytes) => {
        budget -= bytes;
        if (budget <= 0) cut();
      });
      pipe(pair.server, pair.client, () => {});
      for (const socket of [pair.client, pair.server]) {
        socket.on('error', () => {});
        socket.on('close', () => end(pair));
        if (stalled) socket.pause();
      }
    });
  }

  function pipe(from: Socket, to: Socket, seen: (bytes: number) => void): void {
    from.on('data', (bytes) => {
      if (!to.destroyed) to.write(bytes);
      seen(bytes.length);
    });
    from.on('end', () => to.end());
  }

  function end(pair: Pair): void {
    pair.client.destroy();
    pair.server.destroy();
    pairs.delete(pair);
  }

  function spend(bytes: readonly number[]): void {
    [budget = Number.POSITIVE_INFINITY, ...budgets] = bytes;
  }

  function cut(): void {
    spend(budgets);
    for (const pair of [...pairs]) end(pair);
  }

  async function refuse(): Promise<void> {
    const closed = new Promise((resolve) => listener.close(resolve));
    cut();
    await closed;
  }

  return {
    port,
    get open() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    cut,
    cutAfter: (...bytes) => spend(bytes),
    stall() {
      stalled = true;
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.pause();
    },
    async forward() {
      stalled = false;
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.resume();
      if (listener.listening) return;
      listener = newListener();
      await listen(listener, port);
    },
    refuse,
    [Symbol.asyncDispose]: async () => {
      if (listener.listening) await refuse();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
