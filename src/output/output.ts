/** Where the samples of a run go: to the broker, to the terminal, to a script. */
import type { DeliveryStats } from '../messaging/delivery-stats.ts';
import type { Sample } from '../sample.ts';

export interface PollsterFailure {
  readonly source: string;
  readonly pollster: string;
  readonly message: string;
}

/** How one cycle of one polling task went. */
export interface CycleReport {
  /** Seconds between the slots of this task. */
  readonly interval: number;
  readonly sources: readonly string[];
  readonly slot: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly seconds: number;
  readonly pollsters: number;
  readonly samples: number;
  readonly failures: readonly PollsterFailure[];
  /** Slots that passed without a cycle since the one before, because that one was late. */
  readonly missedSlots: number;
}

/** Samples that are handed over together. */
export interface Batch {
  add(sample: Sample): void;
  /** As {@link Output.publish}. Called once at most, and nothing is added after. */
  publish(signal: AbortSignal, interval?: number): Promise<void>;
}

/** A batch for this output. */
export function beginBatch(output: Output): Batch {
  return output.begin?.() ?? listed(output);
}

function listed(output: Output): Batch {
  const samples: Sample[] = [];
  return {
    add: (sample) => void samples.push(sample),
    publish: (signal, interval) => output.publish(samples, signal, interval),
  };
}

export interface Output {
  /** What became of the samples so far, where there is a broker between. */
  readonly stats?: DeliveryStats;
  /**
   * Takes samples of one meter, at most `[polling] batch_size` of them, in the order they were read. Settles when the
   * output holds them safely enough for polling to go on; an output that is away never makes it wait beyond `signal`.
   * `interval` is that of the cycle's report, for cycles of different intervals overlap; without one, the samples
   * belong to the cycle that ends next.
   */
  publish(batch: readonly Sample[], signal: AbortSignal, interval?: number): Promise<void>;
  /** For an output that has a better place for samples than a list: begins a batch, to be published like one. */
  begin?(): Batch;
  /** Called after the last batch of a cycle was published. */
  cycleEnded?(report: CycleReport): void;
  /**
   * Waits until all that was taken is delivered, or `signal` aborts; resolves to the number of samples that are not.
   */
  flush(signal: AbortSignal): Promise<number>;
  /** Lets go of everything at once. Called once, after the last `flush`. */
  close(): Promise<void>;
}
