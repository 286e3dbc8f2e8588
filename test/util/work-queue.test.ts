import { describe, expect, it } from 'vitest';
import { workQueue } from '../../src/util/work-queue.ts';

const one = () => 1;

describe('a work queue', () => {
  it('works on what the work adds, after what was there', async () => {
    const done: number[] = [];

    await workQueue([1, 2], one, async (item, add) => {
      done.push(item);
      if (item < 3) add([item + 2]);
    });

    expect(done).toEqual([1, 2, 3, 4]);
  });

  it('never has more under way than the limit of the moment, and one where the limit is none', async () => {
    let limit = 3;
    let underWay = 0;
    const seen: number[] = [];

    await workQueue(
      [1, 2, 3, 4, 5, 6, 7],
      () => limit,
      async () => {
        seen.push(++underWay);
        await Promise.resolve();
        underWay--;
        limit = 0;
      },
    );

    expect(seen).toHaveLength(7);
    expect(Math.max(...seen)).toBe(3);
    expect(seen.slice(3)).toEqual([1, 1, 1, 1]);
  });

  it('rejects with the first error and starts nothing more', async () => {
    const started: number[] = [];

    const run = workQueue([1, 2, 3], one, async (item) => {
      started.push(item);
      if (item === 2) throw new Error('no');
    });

    await expect(run).rejects.toThrow('no');
    expect(started).toEqual([1, 2]);
  });

  it('resolves when there is nothing to do', async () => {
    await expect(workQueue([], one, async () => undefined)).resolves.toBeUndefined();
  });
});
