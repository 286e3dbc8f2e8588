/** AMQP frames out of a stream of bytes that is cut anywhere, without keeping what was read. */

export interface Frame {
  readonly type: number;
  readonly channel: number;
  /** Of the payload. */
  readonly size: number;
  /** Memory of its own: nothing is written to it any more. */
  readonly payload: Buffer;
}

export interface FrameReaderOptions {
  /**
   * Called for each frame in order. The frames of a body come as one, when all of it is there; of one that turns out
   * larger than announced, the rest comes after it.
   */
  readonly accept: (frame: Frame) => void;
  /** Memory for a body, of exactly this length; it belongs to the receiver. */
  readonly takeBody: (length: number) => Buffer;
  /** The largest payload that is allowed, or 0 for any. */
  readonly maxSize: () => number;
}

/** Throws for what is not AMQP, and whatever `accept` throws; it is not to be called again then. */
export type FrameReader = (bytes: Buffer) => void;

const METHOD = 1;
const HEADER = 2;
export const FRAME_BODY = 3;
/** Type, channel and length before the payload, an octet behind it. */
export const HEAD_BYTES = 7;
export const FRAME_END = 0xce;
/** Of a header's payload: the size of the body is behind class and weight. */
const BODY_SIZE_AT = 4;
/** A larger body is not believed in before it comes: its frames are handed over one by one. */
const LARGEST_BODY = 16_777_216n;

interface Body {
  readonly content: Buffer;
  filled: number;
}

export function createFrameReader({ accept, takeBody, maxSize }: FrameReaderOptions): FrameReader {
  const head = Buffer.alloc(HEAD_BYTES);
  let headFilled = 0;
  let [type, channel, size] = [0, 0, 0];
  /** Where the payload goes; undefined between frames. */
  let target: Buffer | undefined;
  let at = 0;
  let left = 0;
  /** Which the frame belongs to, if it is one of a body that was announced. */
  let body: Body | undefined;
  /** By channel, those that are not complete. */
  const bodies = new Map<number, Body>();

  function readHead(bytes: Buffer, from: number): number {
    const taken = bytes.copy(head, headFilled, from);
    headFilled += taken;
    if (headFilled === HEAD_BYTES) begin();
    return taken;
  }

  function begin(): void {
    headFilled = 0;
    type = head.readUInt8(0);
    channel = head.readUInt16BE(1);
    size = head.readUInt32BE(3);
    const most = maxSize();
    if (most > 0 && size > most)
      throw new Error(`a frame of ${size} bytes is larger than the ${most} that are allowed`);
    body = type === FRAME_BODY ? bodies.get(channel) : undefined;
    if (body !== undefined && size > body.content.length - body.filled) {
      handOver(body);
      body = undefined;
    }
    target = body?.content ?? Buffer.allocUnsafe(size);
    at = body?.filled ?? 0;
    left = size;
  }

  function readPayload(into: Buffer, bytes: Buffer, from: number): number {
    const taken = bytes.copy(into, at, from, Math.min(from + left, bytes.length));
    at += taken;
    left -= taken;
    return taken;
  }

  function end(payload: Buffer, octet: number | undefined): void {
    if (octet !== FRAME_END) throw new Error(`a frame of type ${type} has no end`);
    target = undefined;
    if (body !== undefined) {
      body.filled = at;
      if (at === body.content.length) handOver(body);
      return;
    }
    // What else comes on its channel cuts a body short.
    if (type === METHOD || type === HEADER) bodies.delete(channel);
    accept({ type, channel, size, payload });
    if (type === HEADER) announce(payload);
  }

  function announce(header: Buffer): void {
    const length = header.readBigUInt64BE(BODY_SIZE_AT);
    if (length === 0n || length > LARGEST_BODY) return;
    bodies.set(channel, { content: takeBody(Number(length)), filled: 0 });
  }

  function handOver({ content, filled }: Body): void {
    bodies.delete(channel);
    if (filled === 0) return;
    const payload = filled === content.length ? content : content.subarray(0, filled);
    accept({ type: FRAME_BODY, channel, size: filled, payload });
  }

  return (bytes) => {
    for (let from = 0; from < bytes.length; ) {
      if (target === undefined) {
        from += readHead(bytes, from);
      } else if (left > 0) {
        from += readPayload(target, bytes, from);
      } else {
        end(target, bytes[from]);
        from += 1;
      }
    }
  };
}
