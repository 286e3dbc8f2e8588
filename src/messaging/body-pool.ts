import type { PageMemory } from '../wire/page.ts';

/**
 * Bytes for the bodies of messages, used again: memory outside the heap that comes and goes makes V8 collect all of it.
 */
export interface BodyPool extends PageMemory {
  /** Exactly so many bytes, with anything in them. */
  take(length: number): Buffer;
  /** Gives bytes back that nobody reads any more. */
  give(body: Buffer): void;
}

/** Sizes are rounded up to this, so that few differ. */
const STEP = 16_384;

/** The bytes that are set aside for so many. */
export function roomOf(length: number): number {
  return Math.max(Math.ceil(length / STEP), 1) * STEP;
}

/** Keeps up to so many bytes that are not in use. */
export function createBodyPool(maxBytes: number): BodyPool {
  const free = new Map<number, ArrayBufferLike[]>();
  // What a WeakMap leads to would outlive the young generation, however soon its key is gone; a WeakSet leads nowhere.
  const lent = new WeakSet<ArrayBufferLike>();
  let bytes = 0;

  function lend(length: number): ArrayBufferLike {
    const size = roomOf(length);
    let memory = free.get(size)?.pop();
    if (memory === undefined) memory = Buffer.allocUnsafeSlow(size).buffer;
    else bytes -= size;
    lent.add(memory);
    return memory;
  }

  return {
    take: (length) => Buffer.from(lend(length), 0, length),
    takeRoom: (length) => Buffer.from(lend(length)),
    give({ buffer: memory }) {
      // Given back twice it would be two messages at once.
      if (!lent.delete(memory) || bytes + memory.byteLength > maxBytes) return;
      bytes += memory.byteLength;
      const list = free.get(memory.byteLength);
      if (list === undefined) free.set(memory.byteLength, [memory]);
      else list.push(memory);
    },
  };
}
