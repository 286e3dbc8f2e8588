export interface RetryOptions {
  /** All in milliseconds. The longest first wait after a failed attempt. */
  readonly interval: number;
  /** What the longest wait grows by with each further failure. */
  readonly step: number;
  /** What it never exceeds. */
  readonly max: number;
  /** The longest wait after an established connection was lost. */
  readonly afterLoss: number;
}

/**
 * How long to wait after so many failures in a row: any time up to a limit that grows as oslo.messaging's waits do.
 * Agents that lost a broker at the same moment so come back one by one.
 */
export function reconnectDelay(failures: number, options: RetryOptions, random: () => number = Math.random): number {
  const limit =
    failures === 0 ? options.afterLoss : Math.min(options.max, options.interval + options.step * (failures - 1));
  return Math.round(limit * random());
}
