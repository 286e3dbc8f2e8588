/** Where those who bring something wait while there is no room for it: first come, first served. */
export interface DoorwayOptions<T> {
  readonly isFull: (item: T) => boolean;
  readonly enter: (item: T) => void;
}

interface Waiting<T> {
  readonly item: T;
  readonly entered: () => void;
}

/** Milliseconds without any change after which nobody waits any more, until there is one. */
const STALL = 5000;

export class Doorway<T> {
  readonly #options: DoorwayOptions<T>;
  readonly #waiting = new Set<Waiting<T>>();
  #stall: NodeJS.Timeout | undefined;
  #stalled = false;

  constructor(options: DoorwayOptions<T>) {
    this.#options = options;
  }

  /** Resolves when the item has entered: at the latest when the signal aborts, or nothing changes for a while. */
  pass(item: T, signal: AbortSignal): Promise<void> {
    if (signal.aborted || (this.#waiting.size === 0 && this.#isOpen(item))) {
      this.#options.enter(item);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const leave = () => this.#admit(waiting);
      const entered = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const waiting = { item, entered };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', leave, { once: true });
      this.#stall ??= setTimeout(() => this.#giveUp(), STALL);
    });
  }

  /** Something has changed: there may be room. */
  look(): void {
    this.#stalled = false;
    this.#stall?.refresh();
    this.#admitAll();
  }

  #isOpen(item: T): boolean {
    return this.#stalled || !this.#options.isFull(item);
  }

  #giveUp(): void {
    this.#stalled = true;
    this.#admitAll();
  }

  #admitAll(): void {
    for (const waiting of this.#waiting) {
      if (!this.#isOpen(waiting.item)) return;
      this.#admit(waiting);
    }
  }

  #admit(waiting: Waiting<T>): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) {
      clearTimeout(this.#stall);
      this.#stall = undefined;
    }
    this.#options.enter(waiting.item);
    waiting.entered();
  }
}
