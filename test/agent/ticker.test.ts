import { describe, expect, it } from 'vitest';
import { slotAt, slotStart } from '../../src/agent/slots.ts';
import { type Tick, ticks } from '../../src/agent/ticker.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';

const grid = { interval: 10_000, offset: 3_000 };
const start = 1_800_000_000_000;

/** Collects ticks; `work` says how long each takes. */
function follow(clock: FakeClock, work: (tick: Tick) => Promise<void> = async () => {}, after?: number) {
  const stop = new AbortController();
  const seen: (Tick & { at: number })[] = [];
  const done = (async () => {
    for await (const tick of ticks(grid, clock, stop.signal, after)) {
      seen.push({ ...tick, at: clock.now() });
      await work(tick);
    }
  })();
  return { seen, stop: () => stop.abort(), done };
}

describe('ticks', () => {
  it('begins at once and then keeps to the grid', async () => {
    const clock = new FakeClock(start);
    const { seen, stop, done } = follow(clock);

    await clock.pass(25_000);
    stop();
    await done;

    const first = slotAt(grid, start);
    expect(seen.map(({ slot }) => slot)).toEqual([first, first + 1, first + 2, first + 3]);
    expect(seen.map(({ at }) => at)).toEqual([start, ...[1, 2, 3].map((n) => slotStart(grid, first + n))]);
    expect(seen.every(({ missed, stepped }) => missed === 0 && stepped === 0)).toBe(true);
  });

  it('skips to the next slot after late work and counts what it missed', async () => {
    const clock = new FakeClock(start);
    const nobody = new AbortController().signal;
    let first = true;
    const { seen, stop, done } = follow(clock, async () => {
      if (first) await clock.sleep(27_000, nobody);
      first = false;
    });

    await clock.pass(40_000);
    stop();
    await done;

    const slot = slotAt(grid, start);
    expect(seen.map((tick) => [tick.slot - slot, tick.missed])).toEqual([
      [0, 0],
      [4, 3],
    ]);
    expect(seen[1]?.at).toBe(slotStart(grid, slot + 4));
  });

  it('does not lose the slot that began during the first tick, which came shortly before it', async () => {
    const first = slotAt(grid, start);
    const clock = new FakeClock(slotStart(grid, first + 1) - 100);
    const nobody = new AbortController().signal;
    const { seen, stop, done } = follow(clock, () => clock.sleep(500, nobody));

    await clock.pass(15_000);
    stop();
    await done;

    expect(seen.map((tick) => [tick.slot - first, tick.missed])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
    expect(seen[1]?.at).toBe(slotStart(grid, first + 1) + 400);
  });

  it('takes the grid up from the new time when the wall clock is set back', async () => {
    const clock = new FakeClock(start);
    const { seen, stop, done } = follow(clock);
    await settle();

    clock.step(-3_600_000);
    await clock.pass(15_000);
    stop();
    await done;

    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen[1]).toMatchObject({ stepped: -3_600_000, missed: 0 });
    expect(seen[1]?.slot).toBeLessThan(seen[0]?.slot ?? 0);
  });

  it('calls slots that a jump of the clock left out stepped over, not missed', async () => {
    const clock = new FakeClock(start);
    const { seen, stop, done } = follow(clock);
    await settle();

    clock.step(600_000);
    await clock.pass(15_000);
    stop();
    await done;

    expect(seen[1]).toMatchObject({ stepped: 600_000, missed: 0 });
  });

  it('begins after the slots that somebody else has polled', async () => {
    const clock = new FakeClock(start);
    const polled = slotAt(grid, start);
    const { seen, stop, done } = follow(clock, undefined, polled);

    await clock.pass(10_000);
    stop();
    await done;

    expect(seen.map(({ slot }) => slot)).toEqual([polled + 1]);
  });

  it('ends while it sleeps', async () => {
    const clock = new FakeClock(start);
    const { seen, stop, done } = follow(clock);
    await settle();

    stop();
    await done;

    expect(seen).toHaveLength(1);
  });
});
