/** Fewer calls of the kernel for what amqplib sends. */
import type { ChannelModel } from 'amqplib';
import { outgoing } from './amqplib-inside.ts';

/**
 * Has a connection write at once what is there to be sent: by itself it makes a call of the kernel for the head of a
 * message, which wakes the broker for nothing yet, and another one for the body.
 */
export function writeTogether(model: ChannelModel): void {
  const { stream, muxer } = outgoing(model);
  const writeAll = muxer?._readIncoming;
  if (stream === undefined || muxer === undefined || writeAll === undefined) return;
  muxer._readIncoming = () => {
    stream.cork();
    try {
      writeAll.call(muxer);
    } finally {
      stream.uncork();
    }
  };
}
