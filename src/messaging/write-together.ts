/** Fewer calls of the kernel for what amqplib sends. */
import type { ChannelModel } from 'amqplib';

/** What amqplib's types do not tell of its connections. Another version may have none of it. */
interface Connection {
  readonly stream?: { cork?(): void; uncork?(): void };
  readonly muxer?: { _readIncoming?(): void };
}

/**
 * Has a connection write at once what is there to be sent: by itself it makes a call of the kernel for the head of a
 * message, which wakes the broker for nothing yet, and another one for the body.
 */
export function writeTogether(model: ChannelModel): void {
  const { stream, muxer } = model.connection as unknown as Connection;
  const writeAll = muxer?._readIncoming;
  if (muxer === undefined || writeAll === undefined || !stream?.cork || !stream.uncork) return;
  const { cork, uncork } = stream;
  muxer._readIncoming = () => {
    cork.call(stream);
    try {
      writeAll.call(muxer);
    } finally {
      uncork.call(stream);
    }
  };
}
