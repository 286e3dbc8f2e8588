/** Bodies of messages that lie in an AMQP frame from the beginning, so that amqplib does not copy each into one. */
import type { ChannelModel } from 'amqplib';
import { outgoing } from './amqplib-inside.ts';
import { FRAME_BODY, FRAME_END, HEAD_BYTES } from './frame-reader.ts';

/** Of a frame, behind the payload. */
export const END_BYTES = 1;

/** By body, its frame. */
const frames = new WeakMap<Buffer, Buffer>();

/** The body in a frame: what stands between the first {@link HEAD_BYTES} and the last {@link END_BYTES}. */
export function bodyOf(frame: Buffer): Buffer {
  const body = frame.subarray(HEAD_BYTES, frame.length - END_BYTES);
  frames.set(body, frame);
  return body;
}

/**
 * Has a connection send such bodies with the frame around them. amqplib's own way is to fill a new buffer with zeros
 * and copy the body into it: as much memory again as all messages, whose coming and going makes V8 collect.
 */
export function sendFramesInPlace(model: ChannelModel): void {
  const connection = outgoing(model);
  const { sendContent: sendCopy, frameMax = 0 } = connection;
  if (sendCopy === undefined) return;
  connection.sendContent = (channel, body) => {
    const frame = frames.get(body);
    const buffer = connection.channels?.[channel]?.buffer;
    if (frame === undefined || buffer === undefined || frame.length > frameMax) {
      return sendCopy.call(connection, channel, body);
    }
    frame.writeUInt8(FRAME_BODY, 0);
    frame.writeUInt16BE(channel, 1);
    frame.writeUInt32BE(body.length, 3);
    frame.writeUInt8(FRAME_END, frame.length - END_BYTES);
    connection.sentSinceLastCheck = true;
    return buffer.write(frame);
  };
}
