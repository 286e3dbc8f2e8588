import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grouped, padEnd, padStart, plural, printable, textWidth, truncateMiddle } from '../../src/util/text.ts';

describe('printable text', () => {
  it.each([
    { kind: 'an escape sequence', text: '\u001b[2Jname', shown: '\ufffd[2Jname' },
    { kind: 'a line break', text: 'a\nb', shown: 'a\ufffdb' },
    { kind: 'a reversal of the writing direction', text: 'a\u202eb', shown: 'a\ufffdb' },
    { kind: 'an 8-bit control', text: 'a\u009bb', shown: 'a\ufffdb' },
  ])('has nothing left of $kind', ({ text, shown }) => {
    expect(printable(text)).toBe(shown);
  });

  it('keeps quotes and letters of all scripts', () => {
    expect(printable(`"bäckup" '日本' ©`)).toBe(`"bäckup" '日本' ©`);
  });
});

describe('the width of text', () => {
  it.each([
    { text: 'abc', width: 3 },
    { text: 'äöü', width: 3 },
    { text: 'e\u0301', width: 1 },
    { text: '日本', width: 4 },
    { text: 'ok 👍', width: 5 },
    { text: '', width: 0 },
  ])('of $text is $width columns', ({ text, width }) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe('truncation', () => {
  it('cuts out the middle and keeps both ends', () => {
    expect(truncateMiddle('4f0b9a1e-1234-4567-89ab-000000000007-vda', 15)).toBe('4f0b9a1…007-vda');
  });

  it('leaves alone what fits', () => {
    expect(truncateMiddle('short', 5)).toBe('short');
  });

  it('never splits a letter and never exceeds the width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
        const shown = printable(text);
        expect(textWidth(truncateMiddle(shown, width))).toBeLessThanOrEqual(Math.max(width, 0));
      }),
    );
  });
});

describe('padding', () => {
  it('counts columns and not characters', () => {
    expect(padEnd('日本', 6)).toBe('日本  ');
    expect(padStart('日本', 6)).toBe('  日本');
    expect(padEnd('too long', 3)).toBe('too long');
  });
});

describe('counts', () => {
  it.each([
    { number: '0', shown: '0' },
    { number: '999', shown: '999' },
    { number: '1000', shown: '1,000' },
    { number: '-1234567', shown: '-1,234,567' },
    { number: '-123', shown: '-123' },
    { number: '18446744073709551615', shown: '18,446,744,073,709,551,615' },
    { number: '1234.5678', shown: '1,234.5678' },
  ])('$number is written $shown', ({ number, shown }) => {
    expect(grouped(number)).toBe(shown);
  });

  it('agree with their noun', () => {
    expect([plural(0, 'slot'), plural(1, 'slot'), plural(2000, 'slot')]).toEqual(['0 slots', '1 slot', '2,000 slots']);
  });
});
