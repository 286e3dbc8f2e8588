/** Bytes for the bodies of messages, used again: memory outside the heap that comes and goes makes V8 collect all of it. */
import { bodyOf, FRAME_BYTES } from './body-frame.ts';

export interface BodyPool {
  /** So many bytes, with anything in them, in a frame. */
  take(length: number): Buffer;
  /** Gives bytes back that nobody reads any more. */
  give(body: Buffer): void;
}

/** Sizes are rounded up to this, so that few differ. */
const STEP = 16_384;

/** Keeps up to so many bytes that are not in use. */
export function createBodyPool(maxBytes: number): BodyPool {
  const free = new Map<number, Buffer[]>();
  /** Of the bodies, which are only a part of them. */
  const whole = new WeakMap<Buffer, Buffer>();
  let bytes = 0;

  return {
    take(length) {
      const needed = length + FRAME_BYTES;
      const size = Math.ceil(needed / STEP) * STEP;
      const found = free.get(size)?.pop();
      if (found !== undefined) bytes -= size;
      const buffer = found ?? Buffer.allocUnsafeSlow(size);
      const body = bodyOf(buffer.subarray(0, needed));
      whole.set(body, buffer);
      return body;
    },
    give(body) {
      const buffer = whole.get(body);
      if (buffer === undefined || bytes + buffer.length > maxBytes) return;
      // Given back twice it would be two messages at once.
      whole.delete(body);
      bytes += buffer.length;
      const list = free.get(buffer.length);
      if (list === undefined) free.set(buffer.length, [buffer]);
      else list.push(buffer);
    },
  };
}
