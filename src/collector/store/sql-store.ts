/** A store over a database. */
import { type Chunk, DAY, type Database, dayOf } from './database.ts';
import { createReader } from './read.ts';
import type { Store } from './store.ts';
import { createWriter } from './write.ts';

/** Days for which the ids of messages are known, today included; and after which unused rows go that samples share. */
const ID_DAYS = 2;
const SHARED_DAYS = 2;
/** Microseconds after which few samples of a time are still to come. */
const SETTLED = 1_200_000_000;

export function createSqlStore(db: Database, now: () => number = Date.now): Store {
  const writer = createWriter(db);
  const today = () => dayOf(now() * 1000);

  return {
    kind: db.kind,
    write: (records, arrivals) => writer.write(records, arrivals, today()),
    ...createReader(db),
    async expire({ before, maxBytes, now: at }) {
      let removed = 0;
      if (before !== undefined) {
        for await (const chunk of db.chunks(Number.MIN_SAFE_INTEGER, before)) removed += await db.remove(chunk, before);
      }
      await db.tidy(at - SETTLED);
      if (maxBytes !== undefined) removed += await shrink(maxBytes);
      const oldest = await oldestChunk();
      // What the samples that are left refer to was used on the day that they came, which was not long before theirs.
      const kept = oldest === undefined ? dayOf(at) : Math.min(dayOf(at), dayOf(oldest.start));
      await db.forget({ ids: dayOf(at) - ID_DAYS + 1, shared: kept - SHARED_DAYS });
      return removed;
    },
    close: () => db.close(),
  };

  async function oldestChunk(): Promise<Chunk | undefined> {
    for await (const chunk of db.chunks(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - DAY)) return chunk;
    return undefined;
  }

  async function shrink(maxBytes: number): Promise<number> {
    let removed = 0;
    while ((await db.bytes()) > maxBytes) {
      const oldest = await oldestChunk();
      if (oldest === undefined) break;
      removed += await db.remove(oldest, oldest.end);
    }
    return removed;
  }
}
