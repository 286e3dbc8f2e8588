/**
 * The inside of amqplib's connections, of which its types do not tell, and to which its exports do not lead. Nothing of
 * it is promised, so it is tried out first, and another version that does things in another way is left to do so.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Duplex, PassThrough } from 'node:stream';
import type { ChannelModel } from 'amqplib';
import type { Frame } from './frame-reader.ts';

/** A frame as amqplib understands it. */
export type DecodedFrame = object;

export interface InnerConnection {
  on(event: 'error' | 'close', listener: (error?: Error) => void): void;
  emit(event: 'frameError', error: unknown): void;
  /** The largest payload that it takes, or 0 for any. */
  readonly maxFrameSize: number;
  /** For its heartbeat: something came. */
  recvSinceLastCheck: boolean;
  /** During the handshake: calls back with the next frame that comes. */
  step(next: (error: unknown, frame: DecodedFrame | null) => void): void;
  /** After it: hands all frames that come to `accept`, and emits `frameError` for what is none. */
  acceptLoop(): void;
  accept(frame: DecodedFrame): void;
}

/** What a connection sends by. Another version may have none of it. */
export interface OutgoingConnection {
  readonly channels?: readonly ({ readonly buffer?: { write(bytes: Buffer): boolean } } | null | undefined)[];
  readonly frameMax?: number;
  sentSinceLastCheck: boolean;
  /** Puts the frames of a body where a channel's are taken from. */
  sendContent?(channel: number, body: Buffer): boolean;
  /** Writes what the channels have to the stream, as far as that takes it. */
  readonly muxer?: { _readIncoming?(): void };
  readonly stream?: Pick<Duplex, 'cork' | 'uncork'>;
}

export function outgoing(model: ChannelModel): OutgoingConnection {
  return model.connection as unknown as OutgoingConnection;
}

export interface AmqplibInside {
  /** Calls `begin` before the handshake of the connection that tells the broker this name, until it is disposed of. */
  onOpening(name: string, begin: (connection: InnerConnection) => void): Disposable;
  /** How it understands frames. Undefined where its connections do not read them in the way that is known. */
  readonly decodeFrame: DecodeFrame | undefined;
}

export type DecodeFrame = (frame: Frame) => DecodedFrame;

export interface ConnectionClass {
  new (stream: PassThrough): InnerConnection;
  readonly prototype: { open(this: InnerConnection, fields: OpenFields, ...rest: unknown[]): void };
}

interface OpenFields {
  readonly clientProperties?: { readonly connection_name?: unknown };
}

let inside: AmqplibInside | undefined;

export function amqplibInside(): AmqplibInside {
  inside ??= look();
  return inside;
}

function look(): AmqplibInside {
  const require = createRequire(import.meta.url);
  try {
    const folder = join(dirname(require.resolve('amqplib')), 'lib');
    const { Connection }: { Connection: ConnectionClass } = require(join(folder, 'connection.js'));
    const { decodeFrame }: { decodeFrame: DecodeFrame } = require(join(folder, 'frame.js'));
    return insideOf(Connection, decodeFrame);
  } catch {
    return { onOpening: () => ({ [Symbol.dispose]() {} }), decodeFrame: undefined };
  }
}

/** To be called once for a class: has it tell of its openings from now on. */
export function insideOf(Connection: ConnectionClass, decodeFrame: DecodeFrame): AmqplibInside {
  const { prototype } = Connection;
  const { open } = prototype;
  if (typeof open !== 'function') throw new TypeError('connections do not open');
  const expected = new Map<unknown, (connection: InnerConnection) => void>();
  prototype.open = function (fields, ...rest) {
    expected.get(fields.clientProperties?.connection_name)?.(this);
    open.call(this, fields, ...rest);
  };
  return {
    onOpening(name, begin) {
      expected.set(name, begin);
      return { [Symbol.dispose]: () => expected.delete(name) };
    },
    decodeFrame: readsAsKnown(Connection, decodeFrame) ? decodeFrame : undefined,
  };
}

const HEARTBEAT = { type: 8, channel: 0, size: 0, payload: Buffer.alloc(0) };
const HEARTBEAT_BYTES = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce]);

/** Whether one heartbeat during the handshake, and one after it, come to where they are to come to. */
function readsAsKnown(Connection: ConnectionClass, decodeFrame: DecodeFrame): boolean {
  try {
    const stream = new PassThrough();
    const connection = new Connection(stream);
    const came: unknown[] = [connection.recvSinceLastCheck];
    stream.write(Buffer.concat([HEARTBEAT_BYTES, HEARTBEAT_BYTES]));
    connection.step((error, frame) => came.push(error, frame));
    connection.accept = (frame) => came.push(frame);
    connection.acceptLoop();
    came.push(connection.recvSinceLastCheck);
    const beat = decodeFrame(HEARTBEAT);
    const known = [false, null, beat, beat, true];
    return typeof connection.maxFrameSize === 'number' && known.every((value, index) => value === came[index]);
  } catch {
    return false;
  }
}
