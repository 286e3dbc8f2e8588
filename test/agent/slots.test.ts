import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotAt, slotGrid, slotStart } from '../../src/agent/slots.ts';

describe('slotGrid', () => {
  it('gives a host the same offset each time and keeps it below the interval', () => {
    const first = slotGrid('compute-1', 300_000);

    expect(slotGrid('compute-1', 300_000)).toEqual(first);
    expect(first.offset).toBeGreaterThanOrEqual(0);
    expect(first.offset).toBeLessThan(300_000);
  });

  it('spreads a fleet over the whole interval', () => {
    const tenths = new Set<number>();
    for (let host = 0; host < 200; host += 1) {
      tenths.add(Math.floor(slotGrid(`compute-${host}`, 300_000).offset / 30_000));
    }

    expect(tenths.size).toBe(10);
  });
});

describe('slotAt', () => {
  it('is the slot whose start lies at or before the time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 86_400_000 }), (time, interval) => {
        const grid = slotGrid('a-host', interval);

        const slot = slotAt(grid, time);

        expect(slotStart(grid, slot)).toBeLessThanOrEqual(time);
        expect(slotStart(grid, slot + 1)).toBeGreaterThan(time);
      }),
    );
  });
});
