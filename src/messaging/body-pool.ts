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
function roomOf(length: number): number {
  return Math.max(Math.ceil(length / STEP), 1) * STEP;
}

/** The bytes in which so many may lie: in more they would waste them. */
export function largestRoomOf(length: number): number {
  return (roomOf(length) * 4) / 3;
}

/**
 * Keeps up to so many bytes that are not in use. Those of sizes that nobody has asked for the longest make room for
 * others: what was made while a program began fits nothing later.
 */
export function createBodyPool(maxBytes: number): BodyPool {
  /** By size, that which was asked for last at the end. */
  const free = new Map<number, ArrayBufferLike[]>();
  // What a WeakMap leads to would outlive the young generation, however soon its key is gone; a WeakSet leads nowhere.
  const lent = new WeakSet<ArrayBufferLike>();
  let bytes = 0;

  /** Of this size or one that is not much larger. */
  function unused(size: number): ArrayBufferLike | undefined {
    for (let larger = size; larger <= largestRoomOf(size); larger += STEP) {
      const memory = free.get(larger)?.pop();
      if (memory !== undefined) return memory;
    }
    return undefined;
  }

  function lend(length: number): ArrayBufferLike {
    const size = roomOf(length);
    const list = free.get(size) ?? [];
    free.delete(size);
    free.set(size, list);
    const kept = unused(size);
    if (kept !== undefined) bytes -= kept.byteLength;
    const memory = kept ?? Buffer.allocUnsafeSlow(size).buffer;
    lent.add(memory);
    return memory;
  }

  /** False where there is no room but by what is as likely to be asked for. */
  function makeRoom(size: number): boolean {
    for (const [other, list] of free) {
      if (other === size) break;
      while (bytes + size > maxBytes && list.pop() !== undefined) bytes -= other;
    }
    return bytes + size <= maxBytes;
  }

  return {
    take: (length) => Buffer.from(lend(length), 0, length),
    takeRoom: (length) => Buffer.from(lend(length)),
    give({ buffer: memory }) {
      const size = memory.byteLength;
      // Given back twice it would be two messages at once.
      if (!lent.delete(memory) || !makeRoom(size)) return;
      bytes += size;
      free.get(size)?.push(memory);
    },
  };
}
