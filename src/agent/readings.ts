/** What `poll` returned, which is checked at run time. */
import type { Reading, Readings } from '../plugin.ts';

export function isIterable(value: unknown): value is Iterable<Reading> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<Reading | Iterable<Reading>> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** One reading after the other, where it does not matter what that costs. */
export async function* eachReading(readings: Readings): AsyncGenerator<Reading> {
  for await (const some of readings) {
    if (isIterable(some)) yield* some;
    else yield some;
  }
}
