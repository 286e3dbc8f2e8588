import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdNumbers, Tally } from '../../src/agent/tally.ts';

describe('Tally', () => {
  it('counts as a table for each would, however many count by the same numbers', () => {
    const id = fc.oneof(fc.constantFrom('a', 'b', '__proto__', ''), fc.string());

    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), id), { maxLength: 200 }), (additions) => {
        const ids = new IdNumbers();
        const tallies = [0, 1, 2].map(() => ({ tally: new Tally(ids), model: new Map<string, number>() }));

        for (const [which, text] of additions) {
          const { tally, model } = tallies[which] ?? {};
          const before = model?.get(text) ?? 0;
          model?.set(text, before + 1);
          expect(tally?.add(text)).toBe(before);
        }
      }),
    );
  });

  it('goes on where an octet ends', () => {
    const tally = new Tally(new IdNumbers());

    const counts = Array.from({ length: 600 }, () => tally.add('often'));

    expect(counts).toEqual(Array.from({ length: 600 }, (_, index) => index));
    expect(tally.add('once')).toBe(0);
  });
});
