/** Log lines about what is left out again and again: the first of a kind, then each time that their number doubles. */
import type { Logger } from '../plugin.ts';

/** Kinds come from outside, so what is remembered of them is bounded. */
const MOST_KINDS = 1000;

export interface DropLog {
  /** How many of all kinds there were. */
  readonly total: number;
  note(kind: string, fields: object): void;
}

export function createDropLog(log: Logger, message: string): DropLog {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    get total() {
      return total;
    },
    note(kind, fields) {
      total += 1;
      const count = (counts.get(kind) ?? 0) + 1;
      if (counts.size >= MOST_KINDS && count === 1) counts.clear();
      counts.set(kind, count);
      if ((count & (count - 1)) === 0) log.warn({ ...fields, count }, message);
    },
  };
}
