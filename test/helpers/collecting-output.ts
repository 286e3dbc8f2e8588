import type { CycleReport, Output } from '../../src/output/output.ts';
import type { Sample } from '../../src/sample.ts';

/** An output that keeps what it is given. */
export class CollectingOutput implements Output {
  readonly batches: (readonly Sample[])[] = [];
  /** Of each batch. */
  readonly intervals: (number | undefined)[] = [];
  readonly reports: CycleReport[] = [];

  get samples(): readonly Sample[] {
    return this.batches.flat();
  }

  async publish(batch: readonly Sample[], _signal?: AbortSignal, interval?: number): Promise<void> {
    this.batches.push(batch);
    this.intervals.push(interval);
  }

  cycleEnded(report: CycleReport): void {
    this.reports.push(report);
  }

  async flush(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}
