/**
 * Works on the items and on those that the work itself adds, as many at once as `limit` allows at that moment (at
 * least one). Resolves when nothing is left; rejects with the first error, and then starts nothing more.
 */
export function workQueue<T>(
  items: readonly T[],
  limit: () => number,
  work: (item: T, add: (items: readonly T[]) => void) => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiting = [...items];
    let underWay = 0;
    let failed = false;
    const add = (more: readonly T[]) => void waiting.push(...more);
    const run = async (item: T) => {
      try {
        await work(item, add);
      } catch (error) {
        failed = true;
        reject(error);
      }
      underWay--;
      next();
    };
    const next = () => {
      while (!failed && (underWay === 0 || underWay < limit())) {
        const item = waiting.shift();
        if (item === undefined) break;
        underWay++;
        void run(item);
      }
      if (underWay === 0) resolve();
    };
    next();
  });
}
