/** The inside of amqplib, for making frames as it makes them, and for reading them as it reads them. */
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { ConnectionClass, DecodeFrame, InnerConnection } from '../../src/messaging/amqplib-inside.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Definitions {
  readonly BasicDeliver: number;
  readonly BasicProperties: number;
  readonly ChannelClose: number;
  readonly ConnectionClose: number;
  readonly ConnectionStart: number;
  readonly ConnectionTune: number;
  readonly ConnectionOpenOk: number;
  encodeMethod(method: number, channel: number, fields: Fields): Buffer;
  encodeProperties(kind: number, channel: number, size: number, fields: Fields): Buffer;
}

export interface StockConnection extends Omit<EventEmitter, 'on' | 'emit'>, InnerConnection {
  open(fields: Fields, opened: (error: Error | null) => void): void;
}

interface Parts {
  readonly Connection: ConnectionClass & { new (stream: Duplex): StockConnection };
  readonly Channel: { new (connection: StockConnection): EventEmitter & { allocate(): void; readonly ch: number } };
  readonly defs: Definitions;
  readonly decodeFrame: DecodeFrame;
  readonly makeBodyFrame: (channel: number, content: Buffer) => Buffer;
}

/** Where it is installed. */
export const amqplibFolder = dirname(createRequire(import.meta.url).resolve('amqplib'));

/** Fresh ones each time: nothing that was done to those of another call is seen. */
export function loadAmqplibParts(): Parts {
  const require = createRequire(import.meta.url);
  const part = (name: string) => join(amqplibFolder, 'lib', name);
  for (const name of ['connection.js', 'channel.js']) delete require.cache[part(name)];
  return {
    ...require(part('connection.js')),
    ...require(part('channel.js')),
    ...require(part('frame.js')),
    defs: require(part('defs.js')),
  };
}

const { defs, makeBodyFrame } = loadAmqplibParts();

export const HEARTBEAT = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce]);

/** What the broker says in the handshake. */
export const handshake: readonly Buffer[] = [
  defs.encodeMethod(defs.ConnectionStart, 0, {
    versionMajor: 0,
    versionMinor: 9,
    serverProperties: { product: 'a broker', capabilities: { 'basic.nack': true } },
    mechanisms: Buffer.from('PLAIN AMQPLAIN'),
    locales: Buffer.from('en_US'),
  }),
  defs.encodeMethod(defs.ConnectionTune, 0, { channelMax: 2047, frameMax: 131_072, heartbeat: 60 }),
  defs.encodeMethod(defs.ConnectionOpenOk, 0, { knownHosts: '' }),
];

const because = (replyText: string) => ({ replyCode: 404, replyText, classId: 60, methodId: 20 });

export function channelClose(channel: number, reason: string): Buffer {
  return defs.encodeMethod(defs.ChannelClose, channel, because(reason));
}

export function connectionClose(reason: string): Buffer {
  return defs.encodeMethod(defs.ConnectionClose, 0, because(reason));
}

export interface Sent {
  readonly channel: number;
  readonly deliveryTag: number;
  readonly body: Buffer;
  /** Bytes of the body in each frame. */
  readonly frameBytes: number;
}

/** The frames of a message to a consumer. */
export function delivery({ channel, deliveryTag, body, frameBytes }: Sent): readonly Buffer[] {
  const frames = [
    defs.encodeMethod(defs.BasicDeliver, channel, {
      consumerTag: 'taker',
      deliveryTag,
      redelivered: false,
      exchange: 'nova',
      routingKey: 'notifications.info',
    }),
    defs.encodeProperties(defs.BasicProperties, channel, body.length, {
      contentType: 'application/json',
      headers: { compression: null, number: deliveryTag },
    }),
  ];
  for (let at = 0; at < body.length; at += frameBytes) {
    frames.push(makeBodyFrame(channel, body.subarray(at, at + frameBytes)));
  }
  return frames;
}
