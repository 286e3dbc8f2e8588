/**
 * What arrives bit by bit, for any number of readers: each gets all of it from the beginning, and waits only for what
 * has not come yet. `produce` begins at once and goes on whoever reads; its failure comes after what it has put before.
 */
export function replay<T>(produce: (put: (value: T) => void) => Promise<void>): AsyncIterable<T> {
  const values: T[] = [];
  let complete = false;
  let tell: () => void = () => {};
  let news = Promise.resolve();

  function expectMore(): void {
    const told = tell;
    news = new Promise((resolve) => {
      tell = resolve;
    });
    told();
  }

  expectMore();
  const whole = produce((value) => {
    values.push(value);
    expectMore();
  }).finally(() => {
    complete = true;
    tell();
  });
  // Each reader is told of the failure; there may be none.
  whole.catch(() => {});

  return {
    async *[Symbol.asyncIterator]() {
      for (let taken = 0; ; ) {
        if (taken === values.length) {
          if (complete) return await whole;
          await news;
        }
        for (const value of values.slice(taken)) {
          taken += 1;
          yield value;
        }
      }
    },
  };
}
