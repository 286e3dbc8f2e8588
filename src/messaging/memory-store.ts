import type { MessageStore, OutgoingMessage, StoredMessage } from './message-store.ts';

interface Entry extends StoredMessage {
  taken: boolean;
  done: (() => void) | undefined;
}

/** A store bounded in bytes. The newest message always stays, whatever its size. */
export function createMemoryStore(maxBytes: number): MessageStore {
  /** In order. An entry that is gone leaves a hole; the holes at the front are cut off from time to time. */
  let entries: (Entry | undefined)[] = [];
  /** Position of `entries[0]`. */
  let base = 0;
  /** There are only holes before this index. */
  let head = 0;
  /** No entry before this index is waiting. */
  let cursor = 0;
  const size = { messages: 0, samples: 0, bytes: 0 };

  function remove(entry: Entry): void {
    entries[entry.position - base] = undefined;
    size.messages -= 1;
    size.samples -= entry.samples;
    size.bytes -= entry.body.length;
    entry.done?.();
    while (head < entries.length && entries[head] === undefined) head += 1;
    if (head < 1024 || head < entries.length / 2) return;
    entries = entries.slice(head);
    base += head;
    cursor = Math.max(0, cursor - head);
    head = 0;
  }

  function oldestWaiting(): Entry | undefined {
    for (cursor = Math.max(cursor, head); cursor < entries.length; cursor += 1) {
      const entry = entries[cursor];
      if (entry?.taken === false) return entry;
    }
    return undefined;
  }

  return {
    size,
    hasRoom: (bytes) => size.messages === 0 || size.bytes + bytes <= maxBytes,

    push(message) {
      const dropped: OutgoingMessage[] = [];
      while (size.bytes + message.body.length > maxBytes) {
        const oldest = oldestWaiting();
        if (oldest === undefined) break;
        remove(oldest);
        dropped.push(oldest);
      }
      entries.push({ ...message, position: base + entries.length, taken: false, done: message.done });
      size.messages += 1;
      size.samples += message.samples;
      size.bytes += message.body.length;
      return dropped;
    },

    next() {
      const entry = oldestWaiting();
      if (entry !== undefined) entry.taken = true;
      return entry;
    },

    putBack({ position }) {
      const entry = entries[position - base];
      if (entry === undefined) return;
      entry.taken = false;
      cursor = Math.min(cursor, position - base);
    },

    putBackAll() {
      for (const entry of entries) {
        if (entry?.taken !== true) continue;
        entry.taken = false;
        // A connection that is about to end may read the body still.
        entry.done = undefined;
      }
      cursor = head;
    },

    confirm({ position }) {
      const entry = entries[position - base];
      if (entry !== undefined) remove(entry);
    },
  };
}
