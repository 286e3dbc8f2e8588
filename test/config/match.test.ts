import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fnmatch, supports, unmatched } from '../../src/config/match.ts';

/** The meaning of `*` and `?` written down as directly as possible. */
function naive(name: string, pattern: string): boolean {
  const [first, rest] = [pattern.charAt(0), pattern.slice(1)];
  if (first === '') return name === '';
  if (first === '*') return naive(name, rest) || (name !== '' && naive(name.slice(1), pattern));
  return name !== '' && (first === '?' || first === name.charAt(0)) && naive(name.slice(1), rest);
}

describe('fnmatch', () => {
  it.each([
    ['cpu', 'cpu', true],
    ['cpu', 'CPU', false],
    ['cpu_util', 'cpu', false],
    ['disk.device.read.bytes', 'disk.*', true],
    ['disk', 'disk.*', false],
    ['disk.read.bytes', '*.bytes', true],
    ['diskXread', 'disk.read', false],
    ['a', '?', true],
    ['😀', '?', true],
    ['', '*', true],
    ['b', '[abc]', true],
    ['b', '[a-c]', true],
    ['d', '[a-c]', false],
    ['d', '[!a-c]', true],
    ['-', '[a-]', true],
    ['-', '[-a]', true],
    ['-', '[a-c-e]', true],
    ['d', '[a-c-e]', false],
    [']', '[]]', true],
    ['a', '[!]]', true],
    ['!', '[a!]', true],
    ['^', '[^a]', true],
    ['b', '[c-a]', false],
    ['b', '[!c-a]', true],
    ['[a', '[a', true],
    ['[]', '[]', true],
    ['a\nb', 'a*b', true],
    ['\\', '[\\]', true],
  ])('says of %j and %j: %s, as Python does', (name, pattern, expected) => {
    expect(fnmatch(name, pattern)).toBe(expected);
  });

  it('agrees with the plain definition of * and ?', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });

    fc.assert(
      fc.property(text, pattern, (name, glob) => fnmatch(name, glob) === naive(name, glob)),
      { numRuns: 2000 },
    );
  });

  it('answers at once for a pattern that takes other matchers ages', () => {
    expect(fnmatch('a'.repeat(2000), `${'*a'.repeat(500)}b`)).toBe(false);
  });
});

describe('supports', () => {
  it.each([
    [['*'], 'cpu', true],
    [['cpu', 'memory.*'], 'memory.usage', true],
    [['cpu', 'memory.*'], 'disk', false],
    [['!cpu'], 'cpu', false],
    [['!cpu'], 'disk', true],
    [['!disk.*', '!cpu'], 'disk.read', false],
    [['*', '!cpu'], 'cpu', false],
    [['*', '!cpu'], 'disk', true],
    [['*.bytes', '!disk.*'], 'disk.bytes', false],
    [['*.bytes', '!disk.*'], 'network.bytes', true],
    [['*.bytes', '!disk.*'], 'network.packets', false],
  ])('says of %j and %s: %s', (patterns, name, expected) => {
    expect(supports(patterns, name)).toBe(expected);
  });
});

describe('unmatched', () => {
  const known = ['cpu', 'cpu_util', 'memory.usage', 'disk.device.read.bytes'];

  it('names the patterns that match nothing, and what was probably meant', () => {
    const found = unmatched(['cpu', 'disk.*', 'memory.usge', '!cpu_utl', 'radosgw.objects'], known);

    expect(found).toEqual([
      { pattern: 'memory.usge', nearest: 'memory.usage' },
      { pattern: '!cpu_utl', nearest: 'cpu_util' },
      { pattern: 'radosgw.objects' },
    ]);
  });
});
