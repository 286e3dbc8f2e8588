/** The grid of polling times: pure arithmetic on wall-clock milliseconds. */
import { createHash } from 'node:crypto';

/**
 * A grid of one interval, shifted by a stable offset. Slot `n` begins at `n * interval + offset`; agents with different
 * offsets agree on the number of the slot they are in to within one interval.
 */
export interface SlotGrid {
  readonly interval: number;
  readonly offset: number;
}

/** The grid of a host: the offset is spread evenly over the interval, so that a fleet does not poll in step. */
export function slotGrid(hostname: string, interval: number): SlotGrid {
  const hash = createHash('sha256').update(`${hostname}\n${interval}`).digest();
  return { interval, offset: Math.floor((hash.readUIntBE(0, 6) / 2 ** 48) * interval) };
}

export function slotAt(grid: SlotGrid, time: number): number {
  return Math.floor((time - grid.offset) / grid.interval);
}

export function slotStart(grid: SlotGrid, slot: number): number {
  return slot * grid.interval + grid.offset;
}
