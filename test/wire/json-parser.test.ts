import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getKey } from '../../src/python/value.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson, parseJson } from '../../src/wire/json-parser.ts';
import { isObject, type JsonValue, WholeFloat } from '../../src/wire/value.ts';

describe('parseJson', () => {
  it('keeps integers exact whatever their size', () => {
    const value = parseJson('[9007199254740991, 9007199254740993, -18446744073709551615, 12]');

    expect(value).toEqual([9007199254740991, 9007199254740993n, -18446744073709551615n, 12]);
  });

  it('does not tell 1.0 from 1', () => {
    expect(parseJson('[1.0, 1, 1e2, 0.30000000000000004]')).toEqual([1, 1, 100, 0.30000000000000004]);
  });

  it('accepts what Python accepts beyond JSON', () => {
    expect(parseJson('[NaN, Infinity, -Infinity]')).toEqual([Number.NaN, Infinity, -Infinity]);
  });
});

describe('parseExactJson', () => {
  it.each(['1234567.9999999999', '0.99999999999999999', '-4503599627370497.7', '1000000000000000.0000000001'])(
    'keeps a float that is rounded to a whole value: %s',
    (text) => {
      expect(parseExactJson(`{"a": ${text}}`)).toEqual({ a: new WholeFloat(Number(text)) });
    },
  );

  it('takes any text as the one that reads each number by itself', () => {
    const digits = fc.stringMatching(/^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?(?:[eE][-+]?[0-9]{1,2})?$/);

    fc.assert(
      fc.property(digits, (text) => {
        // An index as the first key is never left to JSON.parse.
        expect(parseExactJson(`[${text}]`)).toEqual([getKey(parseExactJson(`{"0": ${text}}`), '0')]);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps whole floats apart from integers', () => {
    const value = parseExactJson('[1.0, 1, -0.0, -0, 1e2, 1E+2, 2.5, 1e400]');

    expect(value).toEqual([
      new WholeFloat(1),
      1,
      new WholeFloat(-0),
      0,
      new WholeFloat(100),
      new WholeFloat(100),
      2.5,
      Infinity,
    ]);
  });

  it('gives back the very text that Python wrote', () => {
    const text = '{"a": [1, 1.0, 1e-05, 1e+16, 18446744073709551615, null, true], "\\u00e9": {"b": "\\ud834\\udd1e"}}';

    expect(stringifyJson(parseExactJson(text))).toBe(text);
  });

  it('reads whatever JSON.stringify writes, with any white space', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t', ' \n'), (value, space) => {
        const text = JSON.stringify(value, null, space);

        expect(plain(parseExactJson(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('takes the last of equal keys', () => {
    expect(parseExactJson('{"a": 1, "a": 2}')).toEqual({ a: 2 });
  });

  it('treats __proto__ as a key like any other', () => {
    const value = parseExactJson('{"__proto__": {"x": 1}}');

    expect(Object.keys(isObject(value) ? value : {})).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it.each([
    ['', 'invalid JSON at character 0: expected a value, found the end'],
    ['{', 'invalid JSON at character 1: expected a key, found the end'],
    ['{"a" 1}', 'invalid JSON at character 5: expected a colon, found "1}"'],
    ['[1 2]', 'invalid JSON at character 3: expected a comma or the end of a list, found "2]"'],
    ['[1,]', 'invalid JSON at character 3: expected a value, found "]"'],
    ['{"a": 1,}', 'invalid JSON at character 8: expected a key, found "}"'],
    ['01', 'invalid JSON at character 1: expected nothing more, found "1"'],
    ['1.', 'invalid JSON at character 1: expected nothing more, found "."'],
    ['nul', 'invalid JSON at character 0: expected a value, found "nul"'],
    ['"abc', 'invalid JSON at character 4: expected the end of a string, found the end'],
    ['"a\\', 'invalid JSON at character 3: expected the end of a string, found the end'],
    ['"a\nb"', 'invalid JSON at character 0: expected a string without control characters and bad escapes'],
    ['"\\x"', 'invalid JSON at character 0: expected a string without control characters and bad escapes'],
    ['[] x', 'invalid JSON at character 3: expected nothing more, found "x"'],
    ['\ufeff{}', 'invalid JSON at character 0: expected a value'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseExactJson(text)).toThrow(message);
    expect(() => parseJson(text)).toThrow(message);
  });

  it('refuses nesting and integers beyond what Python takes', () => {
    expect(() => parseExactJson('['.repeat(100_000))).toThrow('more than 1000 levels deep');
    expect(() => parseExactJson('9'.repeat(5000))).toThrow('an integer of 5000 digits');
    expect(() => parseExactJson(`${'['.repeat(400)}${']'.repeat(400)}`)).not.toThrow();
  });

  it('throws nothing but its own error on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\0123456789.eE+-truefalsn \n\u0001é') }), (text) => {
        const outcome = attempt(() => parseExactJson(text));

        expect(outcome === undefined || outcome instanceof SyntaxError).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

function attempt(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** As numbers of JavaScript. */
function plain(value: JsonValue): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, item) => {
      if (typeof item === 'bigint') return Number(item);
      return item instanceof WholeFloat ? item.value : item;
    }),
  );
}
