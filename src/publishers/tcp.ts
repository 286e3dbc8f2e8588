/** `tcp://host:port`: each sample is an 8-byte little-endian length and so much msgpack, on one connection. */
import { connect, type Socket } from 'node:net';
import { DeliveryError } from '../errors.ts';
import type { NotificationSample } from '../notification.ts';
import { hostAndPort, UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, Publisher, PublisherUrl } from '../plugin.ts';
import { packed } from './msgpack.ts';
import { createMeterMessages, type MeterMessages } from './records.ts';

const DEFAULT_PORT = 4952;
const CONNECT_TIMEOUT = 10_000;
/** A receiver that takes nothing for so long counts as gone. */
const WRITE_TIMEOUT = 30_000;

export function tcpPublisher(url: PublisherUrl, { config, hostname }: Host): Publisher {
  new UrlOptions(url).refuseOthers();
  const target = hostAndPort(url, DEFAULT_PORT);
  const toMessage = createMeterMessages(config.publisher.telemetrySecret, hostname);
  let connection: Promise<Socket> | undefined;

  function open(): Promise<Socket> {
    connection ??= openSocket(target.host, target.port, () => {
      connection = undefined;
    });
    return connection;
  }

  return {
    async publishSamples(batch) {
      const { data, failure } = frames(batch, toMessage);
      if (data.length > 0) {
        const socket = await open();
        try {
          await write(socket, data);
        } catch (error) {
          socket.destroy();
          throw new DeliveryError(`connection to ${url.authority} lost`, { cause: error, retryable: true });
        }
      }
      if (failure !== undefined) throw failure;
    },
    async close() {
      const socket = await connection?.catch(() => undefined);
      await new Promise<void>((resolve) => (socket === undefined ? resolve() : socket.end(resolve)));
      socket?.destroy();
    },
  };
}

/** One sample that cannot be written holds up no other one; it is told of when these are sent. */
function frames(batch: readonly NotificationSample[], toMessage: MeterMessages): { data: Buffer; failure?: Error } {
  const parts: Buffer[] = [];
  let failure: Error | undefined;
  for (const sample of batch) {
    try {
      parts.push(...framed(sample, toMessage));
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      failure = error;
    }
  }
  const data = Buffer.concat(parts);
  return failure === undefined ? { data } : { data, failure };
}

function framed(sample: NotificationSample, toMessage: MeterMessages): readonly Buffer[] {
  const body = packed(toMessage(sample));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(body.length));
  return [length, body];
}

function openSocket(host: string, port: number, gone: () => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT, keepAlive: true });
    const fail = (cause: Error) => {
      socket.destroy();
      reject(new DeliveryError(`cannot connect to ${host}:${port}`, { cause, retryable: true }));
    };
    socket.once('timeout', () => fail(new Error('timed out')));
    socket.on('error', fail);
    socket.on('close', gone);
    // Nothing is expected from the other side; what comes is thrown away, so that its end is noticed.
    socket.resume();
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

function write(socket: Socket, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`nothing was taken for ${WRITE_TIMEOUT / 1000} s`)), WRITE_TIMEOUT);
    socket.write(data, (error) => {
      clearTimeout(late);
      if (error) reject(error);
      else resolve();
    });
  });
}
