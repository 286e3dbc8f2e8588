import { describe, expect, it } from 'vitest';
import { replay } from '../../src/util/replay.ts';

/** A replay whose values the test puts, and what readers have of it so far. */
function setUp() {
  let put: (value: number) => void = () => {};
  let end: (error?: Error) => void = () => {};
  const values = replay<number>((putOne) => {
    put = putOne;
    return new Promise((resolve, reject) => {
      end = (error) => (error === undefined ? resolve() : reject(error));
    });
  });
  async function reader() {
    const seen: number[] = [];
    const done = (async () => {
      for await (const value of values) seen.push(value);
    })();
    done.catch(() => {});
    await settled();
    return { seen, done };
  }
  return { reader, put: (value: number) => put(value), end: (error?: Error) => end(error) };
}

/** After what can happen by itself has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('what arrives bit by bit', () => {
  it('is read as it comes, and from the beginning by who comes late', async () => {
    const { reader, put, end } = setUp();
    const early = await reader();

    put(1);
    put(2);
    await settled();
    const afterTwo = [...early.seen];
    const late = await reader();
    const lateHad = [...late.seen];
    put(3);
    end();
    await Promise.all([early.done, late.done]);
    const last = await reader();

    expect(afterTwo).toEqual([1, 2]);
    expect(lateHad).toEqual([1, 2]);
    expect([early.seen, late.seen, last.seen]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('ends for every reader with the failure, after what came before it', async () => {
    const { reader, put, end } = setUp();
    const early = await reader();

    put(1);
    end(new Error('the rest is lost'));

    await expect(early.done).rejects.toThrow('the rest is lost');
    const late = await reader();
    await expect(late.done).rejects.toThrow('the rest is lost');
    expect([early.seen, late.seen]).toEqual([[1], [1]]);
  });

  it('may fail while nobody reads', async () => {
    const { reader, end } = setUp();

    end(new Error('nobody saw it'));
    await settled();

    await expect((await reader()).done).rejects.toThrow('nobody saw it');
  });
});
