import { describe, expect, it } from 'vitest';
import { bytesRepr, floatRepr, numberStr, pythonRepr, pythonStr, sortedEntries } from '../../src/wire/python-repr.ts';
import { type JsonValue, WholeFloat } from '../../src/wire/value.ts';

describe('floatRepr', () => {
  it.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [32, '32.0'],
    [-1.5, '-1.5'],
    [22.46484375, '22.46484375'],
    [0.1 + 0.2, '0.30000000000000004'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [0.0000123, '1.23e-05'],
    [-0.00001, '-1e-05'],
    [1e-7, '1e-07'],
    [5e-324, '5e-324'],
    [1e15, '1000000000000000.0'],
    [9999999999999998, '9999999999999998.0'],
    [1e16, '1e+16'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e22, '1e+22'],
    [-1e100, '-1e+100'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [Number.NaN, 'nan'],
  ])('prints %s as Python does', (value, expected) => {
    expect(floatRepr(value)).toBe(expected);
  });
});

describe('numberStr', () => {
  it.each([
    [7, '7'],
    [-0, '0'],
    [0.5, '0.5'],
    [2 ** 53, '9007199254740992'],
    [1e22, '10000000000000000000000'],
    [Number.NaN, 'nan'],
  ])('prints the whole number %s as an integer', (value, expected) => {
    expect(numberStr(value)).toBe(expected);
  });
});

describe('pythonStr', () => {
  it.each<[string | number | bigint | boolean | null | WholeFloat, string]>([
    [null, 'None'],
    [true, 'True'],
    [false, 'False'],
    ["it's é", "it's é"],
    [18446744073709551615n, '18446744073709551615'],
    [new WholeFloat(1500000000), '1500000000.0'],
    [2, '2'],
  ])('prints %s as str() does', (value, expected) => {
    expect(pythonStr(value)).toBe(expected);
  });
});

describe('bytesRepr', () => {
  it.each<[JsonValue, string]>([
    [[], '[]'],
    [[1, 'é', { k: null, a: new WholeFloat(2) }], "[1, b'\\xc3\\xa9', {b'a': 2.0, b'k': None}]"],
    [["it's"], '[b"it\'s"]'],
    [['"x"'], '[b\'"x"\']'],
    [['both\'"'], "[b'both\\'\"']"],
    [['\t\n\r\\\0\x7f'], "[b'\\t\\n\\r\\\\\\x00\\x7f']"],
    [[[true, []], {}], '[[True, []], {}]'],
    [['𝄞'], "[b'\\xf0\\x9d\\x84\\x9e']"],
  ])('prints %j with every string as bytes', (value, expected) => {
    expect(bytesRepr(value)).toBe(expected);
  });
});

describe('pythonRepr', () => {
  // Each expectation is what Python 3.11 printed.
  it.each<[JsonValue, string]>([
    ["it's", '"it\'s"'],
    ['both \' and "', "'both \\' and \"'"],
    ['\\ \n\t\r', "'\\\\ \\n\\t\\r'"],
    ['ü€😀', "'ü€😀'"],
    ['\u00a0\u0007\u200b\ud800\u{e0001}', "'\\xa0\\x07\\u200b\\ud800\\U000e0001'"],
    [{ a: [1, 'b', null, true, 2.5], c: {} }, "{'a': [1, 'b', None, True, 2.5], 'c': {}}"],
  ])('prints %j', (value, expected) => {
    expect(pythonRepr(value)).toBe(expected);
  });
});

describe('sortedEntries', () => {
  it('sorts keys by code point, not by UTF-16 unit', () => {
    const keys = sortedEntries({ '\uffee': 1, '𝄞': 2, Z: 3, a: 4, _: 5, ab: 6 }).map(([key]) => key);

    expect(keys).toEqual(['Z', '_', 'a', 'ab', '\uffee', '𝄞']);
  });
});
