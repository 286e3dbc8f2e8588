import type { Writable } from 'node:stream';
import { codeOf, DeliveryError, describeError } from '../errors.ts';

/** The other end went away: `… | head`, a closed terminal. That is how a run is ended, not a fault. */
const GONE = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

const ignore = (): void => {};

export interface StreamWriterOptions {
  readonly stream: Writable;
  /** What the stream is, for messages: `stdout`. */
  readonly name: string;
  /** Called once when there is nobody left to write for. */
  readonly onGone?: () => void;
}

/** Text to a stream that belongs to somebody else, so it is never closed here. */
export class StreamWriter {
  readonly #stream: Writable;
  readonly #name: string;
  readonly #onError: (error: unknown) => void;
  readonly #wake = (): void => {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const resolve of woken) resolve();
  };
  #pending = 0;
  #gone = false;
  #failure: DeliveryError | undefined;
  #waiting: (() => void)[] = [];

  constructor({ stream, name, onGone }: StreamWriterOptions) {
    this.#stream = stream;
    this.#name = name;
    stream.on('drain', this.#wake);
    this.#onError = (error) => {
      if (GONE.has(codeOf(error) ?? '')) {
        if (!this.#gone) onGone?.();
        this.#gone = true;
      } else {
        const message = `cannot write to ${this.#name}: ${describeError(error)}`;
        this.#failure ??= new DeliveryError(message, { cause: error, retryable: false });
      }
      this.#wake();
    };
    stream.on('error', this.#onError);
  }

  /** Whether the other end went away. Writing goes on without effect. */
  get gone(): boolean {
    return this.#gone;
  }

  /** What went wrong for good. */
  get failure(): DeliveryError | undefined {
    return this.#failure;
  }

  /** Whether the other end does not keep up. */
  get blocked(): boolean {
    return this.#stream.writableNeedDrain && !this.#gone && this.#failure === undefined;
  }

  /** How many of the things written, as counted by `write`, did not get through yet. */
  get pending(): number {
    return this.#gone ? 0 : this.#pending;
  }

  /** Takes the text, which stands for `count` things. Throws when an earlier write failed for good. */
  write(text: string, count: number): void {
    if (this.#gone) return;
    if (this.#failure !== undefined) throw this.#failure;
    this.#pending += count;
    this.#stream.write(text, (error) => {
      if (!error) this.#pending -= count;
      this.#wake();
    });
  }

  /** Waits until the other end has kept up, at most until `signal` aborts. */
  async room(signal: AbortSignal): Promise<void> {
    await this.#until(() => !this.blocked, signal);
  }

  /** Waits until everything got through or cannot any more, at most until `signal` aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.pending === 0 || this.#failure !== undefined, signal);
  }

  close(): void {
    this.#stream.off('drain', this.#wake).off('error', this.#onError);
    // An error that comes late must not end the process.
    if (!this.#stream.listeners('error').includes(ignore)) this.#stream.on('error', ignore);
  }

  async #until(done: () => boolean, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', this.#wake, { once: true });
    while (!done() && !signal.aborted) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    signal.removeEventListener('abort', this.#wake);
  }
}
