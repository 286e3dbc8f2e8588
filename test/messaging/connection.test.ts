/** The handshake against a broker that is scripted byte by byte. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BrokerConnection } from '../../src/messaging/connection.ts';
import { HEARTBEAT } from '../helpers/amqplib-parts.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { until } from '../helpers/until.ts';

const METHOD = 1;
const FRAME_END = 0xce;

/** A method of the class `connection` on channel 0. */
function method(id: number, ...fields: readonly Buffer[]): Buffer {
  const payload = Buffer.concat([Buffer.from([0, 10, 0, id]), ...fields]);
  const head = Buffer.from([METHOD, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([FRAME_END])]);
}

function uint(size: 2 | 4, value: number): Buffer {
  const buffer = Buffer.alloc(size);
  buffer.writeUIntBE(value, 0, size);
  return buffer;
}

const shortString = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const longString = (text: string) => Buffer.concat([uint(4, text.length), Buffer.from(text)]);

const start = method(10, Buffer.from([0, 9]), uint(4, 0), longString('PLAIN'), longString('en_US'));
const tune = method(30, uint(2, 0), uint(4, 131_072), uint(2, 0));
const openOk = method(41, shortString(''));
const close = (code: number, text: string) => method(50, uint(2, code), shortString(text), uint(2, 0), uint(2, 0));

/**
 * Answers the protocol header, `start-ok`, and `tune-ok` with `open`; the n-th client gets the n-th last word. `after` is
 * told of a socket that has said it, and hangs up when its client says more where there is none.
 */
async function startBroker(lastWords: readonly Buffer[], after?: (socket: Socket) => void): Promise<number> {
  let clients = 0;
  const server = createServer((socket) => {
    const answers = [start, tune, lastWords[clients++] ?? openOk];
    socket.on('error', () => undefined);
    socket.on('data', () => {
      const answer = answers.shift();
      if (answer !== undefined) socket.write(answer);
      else if (after === undefined) socket.destroy();
      if (answer !== undefined && answers.length === 0) after?.(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the broker has no port');
  return address.port;
}

function connect(port: number, heartbeat: number) {
  const log = recordingLog();
  const state = { connected: 0, lost: 0 };
  const connection = new BrokerConnection(
    {
      hosts: [{ host: '127.0.0.1', port, user: 'guest', password: 'guest' }],
      virtualHost: '/',
      login: 'PLAIN',
      tls: undefined,
      heartbeat,
      programName: 'test',
      shuffle: false,
      connectTimeout: 5000,
      retry: { interval: 20, step: 0, max: 20, afterLoss: 20 },
    },
    {
      async setUp() {},
      connected() {
        state.connected += 1;
      },
      lost() {
        state.lost += 1;
      },
      blocked() {},
    },
    log,
  );
  onTestFinished(() => connection.close());
  return { log, state };
}

describe('a connection that the broker closes in one breath with its consent', () => {
  it.each([
    [530, 'NOT_ALLOWED - too many', /530 \(NOT-ALLOWED\) with message "NOT_ALLOWED - too many"/],
    [320, 'CONNECTION_FORCED - bye', /320 \(CONNECTION-FORCED\) with message "CONNECTION_FORCED - bye"/],
  ])('for %s is a failed attempt like another', async (code, text, reason) => {
    const port = await startBroker([Buffer.concat([openOk, close(code, text)])]);
    const { log, state } = connect(port, 0);

    await until('the second attempt succeeded', () => state.connected === 1);

    expect(log.told).toEqual(['error no connection to the message broker', 'info connected to the message broker']);
    expect(log.fields('no connection to the message broker')).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(reason) }),
    ]);
  });
});

describe('a connection', () => {
  it('lives on heartbeats alone, and not without them', async () => {
    const beating = performance.now();
    let beats: NodeJS.Timeout | undefined;
    const port = await startBroker([], (socket) => {
      beats ??= setInterval(() => socket.write(HEARTBEAT), 300);
    });
    onTestFinished(() => clearInterval(beats));
    const { log, state } = connect(port, 1);

    await until('it is older than a connection that hears nothing', () => performance.now() - beating > 4000);
    expect(state).toEqual({ connected: 1, lost: 0 });
    clearInterval(beats);
    await until('it is given up', () => state.lost === 1);

    expect(log.fields('lost the connection to the message broker')).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(/heartbeat/i) }),
    ]);
  });

  it.each([
    ['a frame that is larger than agreed', Buffer.from([3, 0, 1, 0x7f, 0, 0, 0]), /2130706432 bytes is larger/],
    ['a frame without an end', Buffer.from([8, 0, 0, 0, 0, 0, 0, 0]), /has no end/],
  ])('is lost to a broker that sends %s', async (_, bytes, reason) => {
    let told = false;
    const port = await startBroker([], (socket) => {
      if (!told) setTimeout(() => socket.write(bytes), 50);
      told = true;
    });
    const { log, state } = connect(port, 0);

    await until('there is another', () => state.connected === 2);

    expect(log.fields('lost the connection to the message broker')).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(reason) }),
    ]);
  });
});
