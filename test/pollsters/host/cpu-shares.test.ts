import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createShareTracker, sharesBetween } from '../../../src/pollsters/host/cpu-shares.ts';
import type { CpuTicks } from '../../../src/pollsters/host/machine.ts';

const start: CpuTicks = { user: 100n, nice: 0n, system: 50n, idle: 1000n, wait: 10n, softInterrupt: 1n, steal: 2n };

describe('the use of the processors', () => {
  it('counts everything but idling and waiting for disks as busy', () => {
    const end = { user: 110n, nice: 5n, system: 60n, idle: 1060n, wait: 20n, softInterrupt: 3n, steal: 5n };

    const shares = sharesBetween(start, end);

    expect(shares).toEqual({ busy: 30, idle: 60 });
  });

  it('is unknown where no time went by', () => {
    expect(sharesBetween(start, start)).toBeUndefined();
  });

  it('is unknown where the counters began anew', () => {
    expect(sharesBetween(start, { ...start, user: 1n, idle: 2000n })).toBeUndefined();
  });

  it('survives a waiting time that steps back', () => {
    expect(sharesBetween(start, { ...start, user: 125n, idle: 1075n, wait: 9n })).toEqual({ busy: 25, idle: 75 });
  });

  it('is no more than all of it where the counts are beyond what a number holds', () => {
    const none: CpuTicks = { user: 0n, nice: 0n, system: 0n, idle: 0n, wait: 0n };
    const [user, nice, system, steal] = [
      5_749_491_424_919_119_360n,
      11_406_271_202_265_345_024n,
      1_882_188_434_985_111_681n,
      4_577_601_048_867_117_313n,
    ];

    expect(sharesBetween(none, { ...none, user, nice, system, steal })).toEqual({ busy: 100, idle: 0 });
  });

  it('never leaves 0 to 100 per cent', () => {
    const ticks = fc.record({
      user: fc.bigInt(0n, 2n ** 64n),
      nice: fc.bigInt(0n, 2n ** 64n),
      system: fc.bigInt(0n, 2n ** 64n),
      idle: fc.bigInt(0n, 2n ** 64n),
      wait: fc.bigInt(0n, 2n ** 64n),
      steal: fc.bigInt(0n, 2n ** 64n),
    });

    fc.assert(
      fc.property(ticks, ticks, (before, after) => {
        const { busy, idle } = sharesBetween(before, after) ?? { busy: 0, idle: 0 };
        expect(busy).toBeGreaterThanOrEqual(0);
        expect(busy).toBeLessThanOrEqual(100);
        expect(idle).toBeGreaterThanOrEqual(0);
        expect(idle).toBeLessThanOrEqual(100);
      }),
    );
  });
});

describe('the tracker', () => {
  it('says nothing on the first read of each source, and measures each from its own last read', () => {
    const shares = createShareTracker();
    const later = { ...start, user: 200n };
    const last = { ...start, user: 200n, idle: 1100n };

    const first = [shares('a', start), shares('b', later)];
    const second = [shares('a', last), shares('b', last)];

    expect(first).toEqual([undefined, undefined]);
    expect(second).toEqual([
      { busy: 50, idle: 50 },
      { busy: 0, idle: 100 },
    ]);
  });
});
