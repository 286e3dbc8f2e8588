import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonPathError } from '../../src/jsonpath/ast.ts';
import { findAll, pathOf } from '../../src/jsonpath/evaluate.ts';
import { parsePath } from '../../src/jsonpath/parser.ts';
import { getKey, ValueError } from '../../src/python/value.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import type { JsonValue } from '../../src/wire/value.ts';

/** What jsonpath-rw-ext 1.2.2 on jsonpath-rw 1.4.0 answered to generated paths and documents. */
const recorded = readFileSync(new URL('../fixtures/python/paths.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => parseExactJson(line));

function outcome(path: string, data: JsonValue): string {
  try {
    return stringifyJson(findAll(parsePath(path), data).map((match) => [pathOf(match), match.value]));
  } catch (error) {
    if (error instanceof JsonPathError) return 'no path';
    if (error instanceof ValueError) return 'raises';
    throw error;
  }
}

describe('paths', () => {
  it(`find what the original finds, for each of ${recorded.length} recorded answers`, () => {
    const wrong = recorded.flatMap((entry) => {
      const path = String(getKey(entry, 'path'));
      const found = getKey(entry, 'found');
      const expected =
        getKey(entry, 'parse') === false ? 'no path' : found === undefined ? 'raises' : stringifyJson(found);
      const got = outcome(path, getKey(entry, 'data') ?? null);
      return got === expected ? [] : [{ path, expected, got }];
    });

    expect(wrong).toEqual([]);
    expect(recorded.length).toBeGreaterThan(400);
  });

  it.each([
    ['$.foo * 10 * $.foo + 2', { foo: 4 }, [240]],
    ['foo * 3', { foo: 'f' }, ['foofoofoo']],
    ['payload.id|(resource.id)', { payload: { id: 'yes', resource: { id: 'foobar' } } }, ['yes', 'foobar']],
    [
      'objects[/cow,\\cat][0].cat',
      {
        objects: [
          { cat: 1, cow: 2 },
          { cat: 2, cow: 1 },
          { cat: 3, cow: 1 },
        ],
      },
      [3],
    ],
    ['payload.`split(-, 2, 2)`', { payload: 'foo-bar-cat-bow' }, ['cat-bow']],
    [
      'foo[?flag = true].color',
      {
        foo: [
          { color: 'blue', flag: true },
          { color: 'red', flag: 'hi' },
        ],
      },
      ['blue'],
    ],
    ["m[?(@.name='cpu.frequency')].value * 100", { m: [{ name: 'cpu.frequency', value: 16 }] }, [1600]],
  ])('%s gives what the documentation of the dialect promises', (path, data, expected) => {
    expect(findAll(parsePath(path), data).map((match) => match.value)).toEqual(expected);
  });

  it.each(['$.x / $.y', '$.payload.[', 'a b', 'true_name', '', '10+2.5', '`unknown`', '%'])(
    'refuses %j, as the original does',
    (path) => {
      expect(() => parsePath(path)).toThrow(JsonPathError);
    },
  );

  it('never reaches what an object inherits', () => {
    expect(findAll(parsePath('constructor'), {})).toEqual([]);
    expect(findAll(parsePath('a.__proto__.x'), { a: {} })).toEqual([]);
  });

  it('throws nothing but its own errors, whatever the text and the document', () => {
    const words = fc.constantFrom(
      'a',
      '.',
      '..',
      '[',
      ']',
      '(',
      ')',
      '?',
      '@',
      '$',
      '*',
      '+',
      '-',
      '/',
      '\\',
      '|',
      '&',
      ',',
    );
    const more = fc.constantFrom(
      '=',
      '<',
      '~',
      '"',
      "'",
      '`len`',
      '`sub(/a/, b)`',
      '0',
      '-1',
      '2.5',
      ':',
      ' where ',
      'true',
    );
    const path = fc
      .array(fc.oneof(words, more, fc.string({ maxLength: 3 })), { maxLength: 14 })
      .map((parts) => parts.join(''));
    const document = fc.jsonValue().map((value) => parseExactJson(JSON.stringify(value)));

    fc.assert(
      fc.property(path, document, (text, data) => {
        expect(typeof outcome(text, data)).toBe('string');
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses a path that is nested without end', () => {
    expect(() => parsePath(`${'('.repeat(50_000)}a`)).toThrow(JsonPathError);
    expect(() => parsePath(`a[?${'('.repeat(500)}a=1`)).toThrow(JsonPathError);
  });
});
