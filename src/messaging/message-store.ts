/** What waits for the broker. Kept in memory here; an outbox on disk can take its place. */

export interface OutgoingMessage {
  readonly routingKey: string;
  readonly body: Buffer;
  /** How many samples the body carries, for counting. */
  readonly samples: number;
  /**
   * Called once, when the store has forgotten the message: nobody reads its body any more. Never for one that was put
   * back with all others, for what took it may go on reading.
   */
  readonly done?: (() => void) | undefined;
}

/** A message in a store, with what the store knows about it. The same object from `push` until `confirm` or a drop. */
export interface StoredMessage extends OutgoingMessage {
  /** Grows with each message pushed. */
  readonly position: number;
}

interface StoreSize {
  readonly messages: number;
  readonly samples: number;
  readonly bytes: number;
}

/**
 * Messages in the order in which they were pushed. Each is waiting, or taken by `next`, until it is confirmed or
 * dropped. Nothing here waits or does I/O that could.
 */
export interface MessageStore {
  /** Everything that is neither confirmed nor dropped. */
  readonly size: StoreSize;
  /** Whether a message of so many bytes fits without dropping another. */
  hasRoom(bytes: number): boolean;
  /** Adds a message at the end. Returns what had to be dropped for it: the oldest waiting ones. */
  push(message: OutgoingMessage): readonly OutgoingMessage[];
  /** Takes the oldest waiting message. */
  next(): StoredMessage | undefined;
  /** Lets a taken message wait again, at its old place. */
  putBack(message: StoredMessage): void;
  /** Lets all taken messages wait again, of which whoever took them may still read the bodies. */
  putBackAll(): void;
  /** Forgets a message: it was delivered, or given up. Does nothing when it is gone already. */
  confirm(message: StoredMessage): void;
}
