import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInteger, subtract } from '../../../src/pollsters/compute/integer.ts';

describe('an integer', () => {
  it('keeps its value at any size', () => {
    fc.assert(
      fc.property(fc.bigInt(), (value) => {
        const parsed = parseInteger(String(value));

        expect(BigInt(parsed ?? 'nothing')).toBe(value);
        expect(typeof parsed).toBe(value >= -(2n ** 53n) + 1n && value < 2n ** 53n ? 'number' : 'bigint');
      }),
    );
  });

  it.each([
    [' 12\n', 12],
    ['+3', 3],
    ['-4', -4],
    ['1_000', 1000],
    ['007', 7],
  ])('is read as Python reads it: %j', (text, expected) => {
    expect(parseInteger(text)).toBe(expected);
  });

  it.each(['', ' ', '1.0', '1e3', '0x10', 'many', '--1', '1__0', '_1', '12 MiB', 'NaN', 'Infinity'])(
    'is nothing else: %j',
    (text) => {
      expect(parseInteger(text)).toBeUndefined();
    },
  );

  it('is subtracted exactly', () => {
    expect(subtract(20, 5)).toBe(15);
    expect(subtract(1, 3)).toBe(-2);
    expect(subtract(2n ** 60n, 1)).toBe(2n ** 60n - 1n);
    expect(subtract(2n ** 60n, 2n ** 60n)).toBe(0);
  });
});
