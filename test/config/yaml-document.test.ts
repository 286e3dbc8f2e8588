import { describe, expect, it } from 'vitest';
import { readYamlDocument } from '../../src/config/yaml-document.ts';
import type { JsonValue } from '../../src/wire/value.ts';
import { mistakes } from './temp-files.ts';

const value = (scalar: JsonValue): unknown => scalar;
const marked = { value, key: (scalar: JsonValue) => `<${JSON.stringify(scalar)}>` };

describe('readYamlDocument', () => {
  it('takes keys for texts, or marks those that are none to PyYAML', () => {
    const text = 'on: 1\n5: 2\n"5": 3\n';

    expect(readYamlDocument('f.yaml', text, { value }).value).toEqual({ on: 1, '5': 3 });
    expect(readYamlDocument('f.yaml', text, marked).value).toEqual({ '<true>': 1, '<5>': 2, '5': 3 });
  });

  it('names each key that comes twice, and takes the last', () => {
    const document = readYamlDocument('f.yaml', 'a: {x: 1, x: 2}\nb: 3\n1: 4\n1: 5\n', marked);

    expect(document.repeatedKeys).toEqual([
      { key: 'x', line: 1 },
      { key: '<1>', line: 4 },
    ]);
    expect(document.value).toEqual({ a: { x: 2 }, b: 3, '<1>': 5 });
    expect(document.lineOf(['<1>'])).toBe(4);
  });

  it('finds the line of a key, not that of its value, and follows aliases', () => {
    const { lineOf } = readYamlDocument('f.yaml', '- &a\n  x:\n    - 1\n- *a\n', marked);

    expect(lineOf([0, 'x'])).toBe(2);
    expect(lineOf([0, 'x', 0])).toBe(3);
    expect(lineOf([1, 'x'])).toBe(2);
  });

  it('tells every mistake of a text with its line', () => {
    expect(mistakes('', () => readYamlDocument('f.yaml', 'a: !one x\nb: !two y\n', { value }))).toEqual([
      'f.yaml:1: unknown tag !one: a text that starts with ! has to be in quotes, as "!one"',
      'f.yaml:2: unknown tag !two: a text that starts with ! has to be in quotes, as "!two"',
    ]);
  });

  it('reads hundreds of aliases', () => {
    const document = readYamlDocument('f.yaml', `a: &a [1, 2]\nb: [${'*a, '.repeat(400)}]\n`, { value });

    expect(document.value).toMatchObject({ b: Array.from({ length: 400 }, () => [1, 2]) });
  });
});
