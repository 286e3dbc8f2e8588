import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Below those that systems give out by themselves, where a connection of anybody might take a port between its choice
 * and its use. Each worker of vitest has a part of its own, so that two files side by side never choose the same.
 */
const FIRST = 12_000;
const EACH = 5_000;
const WORKERS = 4;

const worker = Number(process.env['VITEST_POOL_ID'] ?? 1) - 1;
const begin = FIRST + (worker % WORKERS) * EACH;
let next = Math.floor(Math.random() * EACH);

/** Ports of 127.0.0.1 that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries === EACH) throw new Error(`there are no ${count} free ports from ${begin} on`);
    const port = begin + next;
    next = (next + 1) % EACH;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Resolves as soon as somebody listens on the port of 127.0.0.1. */
export async function listens(port: number, milliseconds = 20_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await accepts(port))) {
    if (performance.now() > end) throw new Error(`nobody listens on port ${port} after ${milliseconds} ms`);
    await sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
