import { describe, expect, it } from 'vitest';
import { takeBreath } from '../../src/util/breather.ts';

function workFor(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

describe('work that many do without waiting', () => {
  it('goes on in the same turn while that is short, and lets others act when it has become long', async () => {
    const events: string[] = [];
    await new Promise((resolve) => setImmediate(resolve));
    await takeBreath();

    setImmediate(() => events.push('others'));
    for (const piece of [1, 2, 3]) {
      await takeBreath();
      events.push(`piece ${piece}`);
      if (piece === 2) workFor(6);
    }

    expect(events).toEqual(['piece 1', 'piece 2', 'others', 'piece 3']);
  });

  it('is let on all at once after a breath', async () => {
    workFor(6);
    let turns = 0;
    const count = () => {
      turns += 1;
      setImmediate(count);
    };
    const counting = setImmediate(count);

    await Promise.all(Array.from({ length: 20 }, () => takeBreath()));
    const passed = turns;
    clearImmediate(counting);

    expect(passed).toBeLessThanOrEqual(1);
  });
});
