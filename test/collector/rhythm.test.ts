import { describe, expect, it } from 'vitest';
import { beaten, begun, isLate, type Rhythm } from '../../src/collector/store/rhythm.ts';

function heard(...seconds: readonly number[]): Rhythm {
  const [first = 0, ...others] = seconds.map((second) => second * 1e6);
  return others.reduce(beaten, begun(first));
}

describe('a rhythm', () => {
  it('is known after two steps that are alike, whatever the first was', () => {
    expect(heard(0, 10).interval).toBeNull();
    expect(heard(0, 3, 13).interval).toBeNull();
    expect(heard(0, 3, 13, 23).interval).toBe(10e6);
    expect(heard(0, 10, 21).interval).toBe(11e6);
  });

  it('follows a change of the interval', () => {
    expect(heard(0, 10, 20, 25, 30).interval).toBe(5e6);
    expect(heard(0, 10, 20, 80, 140).interval).toBe(60e6);
  });

  it('counts what is missing, and says where', () => {
    expect(heard(0, 10, 20, 50, 60)).toMatchObject({ gaps: 1, gapStart: 20e6, gapEnd: 50e6, interval: 10e6 });
    expect(heard(0, 10, 20, 35, 45).gaps).toBe(0);
  });

  it('is not disturbed by what comes late or twice', () => {
    expect(heard(0, 10, 20, 20, 15, 30)).toMatchObject({ first: 0, last: 30e6, interval: 10e6, gaps: 0 });
    expect(heard(10, 20, 30, 0).first).toBe(0);
  });

  it('is late after two intervals and a little, until it is gone for good', () => {
    const state = { last: 0, interval: 10e6 };

    expect([20, 25, 26, 86_399, 86_401].map((second) => isLate(state, second * 1e6))).toEqual([
      ...[false, false, true, true, false],
    ]);
    expect(isLate({ last: 0, interval: 86_400e6 }, 5 * 86_400e6)).toBe(true);
    expect(isLate({ last: 0, interval: null }, 1e12)).toBe(false);
  });
});
