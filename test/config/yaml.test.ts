import { array, boolean, minValue, number, pipe, string, unknown } from 'valibot';
import { describe, expect, it } from 'vitest';
import { mapping } from '../../src/config/schema.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { mistakes } from './temp-files.ts';

const parse = (text: string): unknown => parseYaml('f.yaml', text, unknown()).value;

describe('parseYaml', () => {
  it.each([
    ['merge keys', 'a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n', { a: { x: 1, y: 2 }, b: { x: 1, y: 3 } }],
    ['yes and no', 'a: yes\nb: Off\n', { a: true, b: false }],
    [
      'what only looks like a number or a truth as PyYAML does',
      'a: [y, N, ., 1e3, 08, -.5, 1_0]\n',
      { a: ['y', 'N', '.', '1e3', '08', '-.5', 10] },
    ],
    ['the last of two equal keys', 'a: 1\na: 2\n', { a: 2 }],
    [
      'the first of several that are merged',
      'a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b]}\n',
      { a: { x: 1 }, b: { x: 2, y: 3 }, c: { x: 1, y: 3 } },
    ],
    ['octal and sexagesimal numbers', 'a: 010\nb: 1:30\n', { a: 8, b: 90 }],
    ['keys as text, also those that YAML 1.1 takes for truth', 'y: 1\non: 2\n5: 3\n', { y: 1, on: 2, '5': 3 }],
    ['an empty file as nothing', '', null],
  ])('reads %s', (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it('knows the line of every part, through aliases as well', () => {
    const { lineOf } = parseYaml('f.yaml', 'a: &a\n  x: 1\n\nb:\n  - *a\n  - y:\n      z: 2\n', unknown());

    expect(lineOf(['a', 'x'])).toBe(2);
    expect(lineOf(['b'])).toBe(4);
    expect(lineOf(['b', 0])).toBe(5);
    expect(lineOf(['b', 0, 'x'])).toBe(2);
    expect(lineOf(['b', 1, 'y', 'z'])).toBe(7);
    expect(lineOf(['b', 1, 'none', 'z'])).toBe(6);
    expect(lineOf([])).toBe(1);
    expect(parseYaml('f.yaml', 'a: 1\nb: 2\na: 3\n', unknown()).lineOf(['a'])).toBe(3);
  });

  it('tells every issue of a schema with its line and path', () => {
    const schema = mapping({ a: array(mapping({ n: pipe(number(), minValue(1)), s: string() })), b: boolean() });
    const text = 'a:\n  - n: 0\n    s: 1\n  - n: x\nb: maybe\n';

    const found = mistakes('', () => parseYaml('f.yaml', text, schema));

    expect(found).toEqual([
      'f.yaml:2: a[0].n: expected >=1, got 0',
      'f.yaml:3: a[0].s: expected a text, got 1',
      'f.yaml:4: a[1].n: expected a number, got "x"',
      'f.yaml:4: a[1].s: expected a text, got nothing',
      'f.yaml:5: b: expected true or false, got "maybe"',
    ]);
  });

  it.each([
    ['an alias without an anchor', 'a: *b\n', /^f\.yaml: not valid YAML: unresolved alias .*: b$/],
    [
      'aliases that would fill the memory',
      `a: &a [${'x,'.repeat(9)}x]\n${Array.from({ length: 8 }, (_, n) => `${'bcdefghi'[n]}: &${'bcdefghi'[n]} [${`*${'abcdefgh'[n]},`.repeat(9)}*${'abcdefgh'[n]}]`).join('\n')}\n`,
      /^f\.yaml: not valid YAML: excessive alias count/,
    ],
    ['a Python object', 'a: !!python/object:os.system x\n', /^f\.yaml:1: unknown tag /],
    ['a list as a key', '? [a]\n: 1\n', /^f\.yaml:1: not valid YAML: /],
    ['a tab as indentation', 'a:\n\tb: 1\n', /^f\.yaml:2: not valid YAML: /],
  ])('refuses %s', (_, text, expected) => {
    expect(mistakes('', () => parse(text)).join('\n')).toMatch(expected);
  });
});
