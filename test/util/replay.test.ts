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

describe('what is not to be kept as a whole', () => {
  /** A replay of 1, 2, 3, … up to `last`, and what was asked of its source. */
  function counting(last: number, readers: number, patience = 10_000) {
    const asked: number[] = [];
    const values = replay<number>(
      async (put) => {
        for (let value = 1; value <= last; value += 1) {
          asked.push(value);
          if (!(await put(value))) return;
        }
      },
      { readers, patience },
    );
    return { asked, read: () => values[Symbol.asyncIterator]() };
  }

  it('is asked for when a reader wants it and the others have taken what came before', async () => {
    const { asked, read } = counting(3, 2);
    const [one, two] = [read(), read()];

    await one.next();
    await two.next();
    await settled();
    const afterFirst = [...asked];
    const second = one.next();
    await settled();
    const wanted = [...asked];
    await second;
    const third = one.next();
    await settled();
    const heldUp = [...asked];
    await two.next();
    await third;

    expect([afterFirst, wanted, heldUp, asked]).toEqual([[1], [1, 2], [1, 2], [1, 2, 3]]);
  });

  it('is waited for by several at a time', async () => {
    let arrive: () => void = () => {};
    const values = replay<number>(
      async (put) => {
        await new Promise<void>((resolve) => {
          arrive = resolve;
        });
        await put(1);
      },
      { readers: 2, patience: 10_000 },
    );

    const firsts = [1, 2].map(() => values[Symbol.asyncIterator]().next());
    await settled();
    arrive();

    expect(await Promise.all(firsts)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 1 },
    ]);
  });

  it('is let go of when all have read it', async () => {
    const { read } = counting(3, 2);
    const [one, two] = [read(), read()];
    for (const reader of [one, two, one, two]) await reader.next();

    await expect(read().next()).rejects.toThrow('more readers than were announced');
  });

  it('is kept for one who has not begun', async () => {
    const { read } = counting(3, 2);
    const seen: number[][] = [];

    for (const reader of [read(), read()]) {
      const all: number[] = [];
      for (let next = await reader.next(); next.done !== true; next = await reader.next()) all.push(next.value);
      seen.push(all);
    }

    expect(seen).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('is kept for one who is slow, so that the others are held up once and not for long', async () => {
    const { asked, read } = counting(100, 2, 20);
    const slow = read();
    await slow.next();
    const fast: number[] = [];

    for await (const value of { [Symbol.asyncIterator]: read }) fast.push(value);
    const late = [(await slow.next()).value, (await slow.next()).value];

    expect([fast.length, asked.length]).toEqual([100, 100]);
    expect(late).toEqual([2, 3]);
  });

  it('goes on without one who gives up, and ends when all do', async () => {
    const { asked, read } = counting(100, 2);
    const [one, two] = [read(), read()];
    await one.next();
    await two.next();

    await one.return?.();
    const second = (await two.next()).value;
    await two.return?.();
    await settled();

    expect(second).toBe(2);
    expect(asked).toEqual([1, 2]);
  });
});
