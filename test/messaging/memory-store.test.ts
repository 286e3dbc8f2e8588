import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/messaging/memory-store.ts';
import type { StoredMessage } from '../../src/messaging/message-store.ts';

function message(name: string, bytes = 10) {
  return { routingKey: name, body: Buffer.alloc(bytes), samples: 1 };
}

describe('createMemoryStore', () => {
  it('hands out messages in order, and again those that were put back', () => {
    const store = createMemoryStore(1000);
    for (const name of ['a', 'b', 'c', 'd']) store.push(message(name));

    const [a, b, c] = [store.next(), store.next(), store.next()];
    if (a && b && c) {
      store.confirm(b);
      store.putBack(c);
      store.putBack(a);
    }

    expect([store.next(), store.next(), store.next(), store.next()].map((entry) => entry?.routingKey)).toEqual([
      'a',
      'c',
      'd',
      undefined,
    ]);
  });

  it('drops the oldest that wait, never one that is on its way', () => {
    const store = createMemoryStore(30);
    for (const name of ['a', 'b', 'c']) store.push(message(name));
    store.next();

    const dropped = store.push(message('d', 20));

    expect(dropped.map(({ routingKey }) => routingKey)).toEqual(['b', 'c']);
    expect(store.size).toEqual({ messages: 2, samples: 2, bytes: 30 });
  });

  it('keeps the newest message whatever its size', () => {
    const store = createMemoryStore(30);
    store.push(message('a'));

    const dropped = store.push(message('big', 500));

    expect(dropped.map(({ routingKey }) => routingKey)).toEqual(['a']);
    expect(store.next()?.routingKey).toBe('big');
  });

  it('ignores a confirmation of what is gone', () => {
    const store = createMemoryStore(10);
    store.push(message('a'));
    const a = store.next();
    store.putBackAll();
    store.push(message('b'));

    if (a) store.confirm(a);
    if (a) store.putBack(a);

    expect(store.size.messages).toBe(1);
    expect(store.next()?.routingKey).toBe('b');
  });

  it('tells when nobody reads a body any more, which it does not know of those that were put back with all others', () => {
    const store = createMemoryStore(1000);
    const told: string[] = [];
    for (const name of ['a', 'b', 'c']) store.push({ ...message(name), done: () => told.push(name) });
    const confirmAll = () => {
      for (let entry = store.next(); entry !== undefined; entry = store.next()) store.confirm(entry);
    };

    const first = store.next();
    if (first) store.confirm(first);
    store.next();
    store.putBackAll();
    confirmAll();

    expect(told).toEqual(['a', 'c']);
    expect(store.size.messages).toBe(0);
  });

  it('goes on for long without mixing up positions', () => {
    const store = createMemoryStore(1000);
    store.push(message('0'));
    const seen: string[] = [];

    for (let count = 1; count <= 5000; count += 1) {
      store.push(message(String(count)));
      const entry = store.next();
      if (entry) store.confirm(entry);
      seen.push(entry?.routingKey ?? 'none');
    }

    expect(seen).toEqual(Array.from({ length: 5000 }, (_, index) => String(index)));
    expect(store.size).toEqual({ messages: 1, samples: 1, bytes: 10 });
  });

  it('agrees with a plain list through any course of events', () => {
    const event = fc.record({ what: fc.constantFrom('push', 'next', 'confirm', 'back', 'all'), at: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(event, { minLength: 100, maxLength: 500, size: 'max' }), (events) => {
        const store = createMemoryStore(1_000_000);
        let model: { name: string; taken: boolean }[] = [];
        let taken: StoredMessage[] = [];

        events.forEach(({ what, at }, count) => {
          const some = taken[at % Math.max(1, taken.length)];
          if (what === 'push') {
            store.push(message(String(count)));
            model.push({ name: String(count), taken: false });
          } else if (what === 'next') {
            const entry = store.next();
            const expected = model.find((item) => !item.taken);
            expect(entry?.routingKey).toBe(expected?.name);
            if (expected) expected.taken = true;
            if (entry) taken.push(entry);
          } else if (what === 'all' && at === 0) {
            store.putBackAll();
            model.forEach((item) => {
              item.taken = false;
            });
            taken = [];
          } else if (some && what === 'confirm') {
            store.confirm(some);
            model = model.filter(({ name }) => name !== some.routingKey);
            taken = taken.filter((entry) => entry !== some);
          } else if (some && what === 'back') {
            store.putBack(some);
            const item = model.find(({ name }) => name === some.routingKey);
            if (item) item.taken = false;
            taken = taken.filter((entry) => entry !== some);
          }
          expect(store.size.messages).toBe(model.length);
        });
      }),
      { numRuns: 15 },
    );
  });
});
