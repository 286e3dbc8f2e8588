/**
 * Runs `work` ahead on up to `limit` items and yields what it says in the order of the items. `work` must not reject.
 */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const ahead: Promise<R>[] = [];
  for (const item of items) {
    ahead.push(work(item));
    const first = ahead.length >= limit ? ahead.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const one of ahead) yield await one;
}
