/** Bodies of messages that are read from the socket into the memory they stay in. */
import type { OnReadOpts } from 'node:net';
import type { DecodedFrame, DecodeFrame, InnerConnection } from './amqplib-inside.ts';
import { createFrameReader } from './frame-reader.ts';

/** What the socket reads into, over and over. */
const BUFFER_BYTES = 65_536;

export interface InPlaceReading {
  /** For the options of the socket. */
  readonly onread: OnReadOpts;
  /** Has the connection of that socket get its frames from here; called before its handshake. */
  serve(connection: InnerConnection): void;
}

/**
 * amqplib's own way is to have Node read into new memory each time, and to copy all of it once more, or twice, on the way
 * to a body: several times the messages, outside the heap, until V8 collects.
 */
export function readInPlace(decodeFrame: DecodeFrame, takeBody: (length: number) => Buffer): InPlaceReading {
  let read: (bytes: Buffer) => void = () => {};

  function serve(connection: InnerConnection): void {
    let next: ((error: unknown, frame: DecodedFrame | null) => void) | undefined;
    let isOpen = false;
    const readFrames = createFrameReader({
      takeBody,
      maxSize: () => connection.maxFrameSize,
      accept(frame) {
        const decoded = decodeFrame(frame);
        if (isOpen) connection.accept(decoded);
        else takeNext()?.(null, decoded);
      },
    });

    function takeNext() {
      const taken = next;
      next = undefined;
      return taken;
    }

    connection.step = (callback) => {
      next = callback;
    };
    connection.acceptLoop = () => {
      isOpen = true;
    };
    read = (bytes) => {
      connection.recvSinceLastCheck = true;
      try {
        readFrames(bytes);
      } catch (error) {
        read = () => {};
        if (isOpen) connection.emit('frameError', error);
        else takeNext()?.(error, null);
      }
    };
  }

  return {
    onread: {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback(length, buffer) {
        read(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    },
    serve,
  };
}
