import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPieces, withLists } from '../../src/util/json-pieces.ts';

const text = (value: unknown) => [...jsonPieces(value)].join('');

describe('the pieces of JSON', () => {
  it('are the text that JSON.stringify gives, of any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(text(value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it('leave out what JSON has no word for, as JSON.stringify does', () => {
    const value = { a: undefined, b: [undefined, 1], c: { d: undefined } };

    expect(text(value)).toBe(JSON.stringify(value));
  });

  it('have lists in the place of iterables, in lists and objects too', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (elements) => {
        expect(text(new Set(elements).values())).toBe(JSON.stringify([...new Set(elements)]));
        expect(text({ a: [elements.values()] })).toBe(JSON.stringify({ a: [elements] }));
        expect(withLists({ a: [elements.values()], b: 1 })).toEqual({ a: [elements], b: 1 });
      }),
    );
  });

  it('are made as they are taken', () => {
    let made = 0;
    const rows = function* () {
      for (;;) yield made++;
    };

    const pieces = jsonPieces({ rows: rows() });
    while (made < 10) pieces.next();

    expect(made).toBe(10);
  });
});
