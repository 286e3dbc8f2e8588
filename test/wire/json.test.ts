import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFloat, jsonString, stringifyJson } from '../../src/wire/json.ts';
import { type JsonValue, WholeFloat } from '../../src/wire/value.ts';

describe('stringifyJson', () => {
  it.each<[JsonValue, string]>([
    [{ a: [1, null, true], b: {} }, '{"a": [1, null, true], "b": {}}'],
    [[], '[]'],
    [18446744073709551615n, '18446744073709551615'],
    [new WholeFloat(32), '32.0'],
    [new WholeFloat(1e16), '1e+16'],
    [0.00001, '1e-05'],
    [2 ** 60, '1152921504606846976'],
    [[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], '[NaN, Infinity, -Infinity]'],
    ['é☃𝄞', '"\\u00e9\\u2603\\ud834\\udd1e"'],
    ['a"b\\c\n\t\b\f\r\0\x7f/', '"a\\"b\\\\c\\n\\t\\b\\f\\r\\u0000\\u007f/"'],
    ['\ud800', '"\\ud800"'],
    [{ 'ké"y': 'v' }, '{"k\\u00e9\\"y": "v"}'],
  ])('writes case %# as json.dumps does', (value, expected) => {
    expect(stringifyJson(value)).toBe(expected);
  });

  it('writes the nested form as the plain one stands inside of a string', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = value as JsonValue;

        const nested = stringifyJson(json, 'nested');

        expect(JSON.parse(`"${nested}"`)).toBe(stringifyJson(json));
        expect(nested).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });

  it('writes nothing but what other readers of JSON read back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const again = JSON.parse(stringifyJson(value as JsonValue));

        // Python has one integer zero.
        expect(JSON.stringify(again)).toBe(JSON.stringify(value));
      }),
    );
  });
});

describe('jsonString', () => {
  it('has a nested form for text with and without escapes', () => {
    expect(jsonString('cpu', 'nested')).toBe('\\"cpu\\"');
    expect(jsonString('a"é', 'nested')).toBe('\\"a\\\\\\"\\\\u00e9\\"');
  });
});

describe('jsonFloat', () => {
  it('marks a whole number as a float and spells what JSON cannot say as Python does', () => {
    expect([2, 2.5, Number.NaN, Number.NEGATIVE_INFINITY].map(jsonFloat)).toEqual(['2.0', '2.5', 'NaN', '-Infinity']);
  });
});
