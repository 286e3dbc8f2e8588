import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Received {
  readonly head: IncomingMessage;
  readonly body: string;
}

/** An HTTP server that keeps what it gets, and gives these answers before it goes over to 200. */
export async function startReceiver(answers: number[] = []) {
  const requests: Received[] = [];
  const listener = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ head: request, body: Buffer.concat(chunks).toString() });
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const close = () => new Promise((resolve) => listener.close(resolve));
  return { requests, port, close };
}
