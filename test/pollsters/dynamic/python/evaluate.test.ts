import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EvaluationError, UnsupportedError } from '../../../../src/pollsters/dynamic/python/errors.ts';
import { compile, compileIfExpression } from '../../../../src/pollsters/dynamic/python/expression.ts';
import { FUNCTIONS, METHODS, PYTHON_NAMES } from '../../../../src/pollsters/dynamic/python/vocabulary.ts';
import { reprOf } from '../../../../src/python/text.ts';
import { pythonRepr } from '../../../../src/wire/python-repr.ts';
import type { JsonValue } from '../../../../src/wire/value.ts';

/** The `repr()` of what an expression gives. */
function result(text: string, value: JsonValue = null): string {
  return pythonRepr(compile(text, ['value'])({ value }));
}

describe('an expression', () => {
  it.each([
    ['-7.0 // 2', '-4.0'],
    ['0.5 // -2.5', '-1.0'],
    ['-0.5 % 2.5', '2.0'],
    ['5.0 % -5', '-0.0'],
    ['2.5 // 1e300', '0.0'],
    ['1e25 / 3', '3.333333333333334e+24'],
    ['10 ** 25 / 10', '1e+24'],
    ['(2 ** 53 + 1) / 1', '9007199254740992.0'],
    ['-(10 ** 22) / 7', '-1.4285714285714287e+21'],
    ['0.3 ** 3', '0.026999999999999996'],
    ['2.5 ** -2', '0.16'],
    ['9 ** 0.5', '3.0'],
    ['round(2.5, 0)', '2.0'],
    ['round(0.125, 2)', '0.12'],
    ['round(1.005, 2)', '1.0'],
    ['round(-0.04, 1)', '-0.0'],
    ['round(1255, -1)', '1260'],
    ['round(1265, -1)', '1260'],
    ['round(-15, -1)', '-20'],
    ['round(7, -5)', '0'],
    ['round(1234.5, -2)', '1200.0'],
    ['round(1e300, -3)', '1e+300'],
    ['round(2 ** 60 + 5, -1)', '1152921504606846980'],
    ['2 ** 64 > float(2 ** 64 - 1)', 'False'],
    ['2 ** 53 + 1 == float(2 ** 53)', 'False'],
    ['max(float(2 ** 53), 2 ** 53 + 1)', '9007199254740993'],
    ["int('1_000') + int(' 42 ') + int('١٢') + int('0b1_0', 2)", '1056'],
    ['1_000 + 0b11 + 0o17 + 0xF_F', '1273'],
    ["float(' 1_0.5 ') + float('-.5e1')", '5.5'],
    ["'\\u00a0x\\x1c'.strip() + '\\ufeffy'.strip()", "'x\\ufeffy'"],
    ["'a\\x1cb c'.split()", "['a', 'b', 'c']"],
    ["'a\\x0bb\\u2028c\\r\\n\\r\\n'.splitlines()", "['a', 'b', 'c', '']"],
    ["''.splitlines()", '[]'],
    ["'😀ab'.find('b') + '😀ab'.count('') + len('😀')", '7'],
    ["'x😀'.zfill(5) + '😀x😀'.strip('😀')", "'000x😀x'"],
    ["'ΑΣ'.capitalize() + 'ﬁx'.capitalize() + 'ǆ'.title()", "'ΑςFixǅ'"],
    ['"they\'re 日a".title()', '"They\'Re 日A"'],
    ["'😀' < '\\uffff'", 'False'],
    ["sorted(['😀', '\\uffff'])", "['\\uffff', '😀']"],
    ["'²'.isdigit()", 'True'],
    ["{'b': 1, '2': 2, '1': 3}", "{'b': 1, '2': 2, '1': 3}"],
    ["list({'b': 1, '2': 2}.items()) + list({'b': 1, '2': 2})", "[['b', 1], ['2', 2], 'b', '2']"],
  ])('is exact where Python is: %s', (text, expected) => {
    expect(reprOf(compile(text, ['value'])({ value: null }))).toBe(expected);
  });

  // The right side is what CPython 3.11 prints.
  it.each([
    ["'a' + \"b\" 'c'", "'abc'"],
    ["r'\\n' + '\\x41\\u00e9\\t'", "'\\\\nAé\\t'"],
    ['0x10 + 10 if False else 7', '7'],
    ['1 + 2 * 3 ** 2 - -4', '23'],
    ['-2 ** 2', '-4'],
    ['7 / 2', '3.5'],
    ['4 / 2', '2.0'],
    ['-7 // 2', '-4'],
    ['-7 % 3', '2'],
    ['7.5 % -2', '-0.5'],
    ['2 ** -1', '0.5'],
    ['2 ** 100', '1267650600228229401496703205376'],
    ['1.0 + 1', '2.0'],
    ['1 == 1.0 == True', 'True'],
    ['1 < 2 < 3 > 2', 'True'],
    ["'a' in 'cat' and 'x' not in ['y']", 'True'],
    ['None is None and 1 is not None', 'True'],
    ["not [] or 'x'", 'True'],
    ["'' or {'a': 1}", "{'a': 1}"],
    ["{'a': [1, 2]}['a'][-1]", '2'],
    ["'abcdef'[1:-1:2]", "'bd'"],
    ["'abc'[::-1]", "'cba'"],
    ['[1, 2, 3][5:]', '[]'],
    ['[x * 2 for x in [1, 2, 3] if x > 1 if x < 9]', '[4, 6]'],
    ["[k + v for k, v in {'a': 'b'}.items()]", "['ab']"],
    ['list(map(lambda x: x + 1, [1, 2]))', '[2, 3]'],
    ['sorted([3, 1, 2], key=lambda x: -x)', '[3, 2, 1]'],
    ["sorted(['b', 'a'], reverse=True)", "['b', 'a']"],
    ['max([1, 5, 2]) + min(4, 3) + sum([1, 2]) + len("ab")', '13'],
    ['max([], default=0)', '0'],
    ['next((x for x in [1, 2, 3] if x > 1), None)', '2'],
    ['round(2.5) + round(3.5)', '6'],
    ['round(2.675, 2)', '2.67'],
    ["int('42') + int(3.9) + int('ff', 16) + int(True)", '301'],
    ["float('1e3')", '1000.0'],
    ["str(1.0) + str(None) + str(True) + str([1, 'a'])", '"1.0NoneTrue[1, \'a\']"'],
    ["' a b '.split()", "['a', 'b']"],
    ["'a,b,c'.split(',', 1)", "['a', 'b,c']"],
    ["'a,b,c'.rsplit(',', 1)", "['a,b', 'c']"],
    ["'xxaxx'.strip('x').upper().lower().title()", "'A'"],
    ["'a-b'.partition('-')", "['a', '-', 'b']"],
    ["'aaa'.replace('a', 'b', 2)", "'bba'"],
    ["','.join(['a', 'b'])", "'a,b'"],
    ["'-5'.zfill(4) + 'x'.removeprefix('x')", "'-005'"],
    ["{'a': 1}.get('b', 2)", '2'],
    ["list({'a': 1}.keys()) + list({'a': 1}.values())", "['a', 1]"],
    ["isinstance('a', str) and not isinstance(1, str)", 'True'],
    ['any([0, 1]) and all([])', 'True'],
    ["[i for i, x in enumerate(['a', 'b']) if x == 'b'][0]", '1'],
    ['list(range(1, 10, 4))', '[1, 5, 9]'],
    ["{'__proto__': 1}['__proto__']", '1'],
  ])('gives for %s what Python gives', (text, expected) => {
    const printed = result(text);

    expect(printed).toBe(expected);
  });

  it.each([
    ["value.split('$')[0].strip()", ' p$u', "'p'"],
    ["value.split ('$')", 'p$u', "['p', 'u']"],
    ["value['some_field'] if 'some_field' in value else ''", { other: 1 }, "''"],
    ["filter(lambda v: v.get('rel') == 'next', value)", [{ rel: 'prev' }, { rel: 'next' }], "[{'rel': 'next'}]"],
    ["value.replace('http:', 'https:')", 'http://a', "'https://a'"],
    ["value or { 'id': '' }", null, "{'id': ''}"],
    ["','.join(value)", ['t1', 't2'], "'t1,t2'"],
    ["'aws --starting-token \"' + value + '\"'", 'abc', '\'aws --starting-token "abc"\''],
  ] satisfies [string, JsonValue, string][])('works as in upstream’s documents: %s', (text, value, expected) => {
    const printed = result(text, value);

    expect(printed).toBe(expected);
  });

  it.each([
    ["value['x']", {}, 'KeyError'],
    ['value[3]', [1], 'IndexError'],
    ["value['x']", 'text', 'TypeError'],
    ['value + 1', 'text', 'TypeError'],
    ['1 / value', 0, 'ZeroDivisionError'],
    ['int(value)', 'x', 'ValueError'],
    ['float(value)', 'constructor', 'ValueError'],
    ['lambda: value', 1, 'TypeError'],
    ['value * 10 ** 9', 'text', 'limit'],
    ['9 ** 9 ** 9 + value', 1, 'limit'],
    ['[x for x in range(10 ** 7)] + value', [], 'limit'],
    ['list(map(lambda f: list(map(f, [f])), [lambda f: list(map(f, [f]))])) + value', [], 'TypeError'],
  ] satisfies [string, JsonValue, string][])(
    'fails as Python does, or before it takes too much: %s',
    (text, value, fault) => {
      const run = () => result(text, value);

      expect(run).toThrow(expect.objectContaining({ fault }));
    },
  );

  it.each([
    ["__import__('os').system('true') + value", '__import__()'],
    ['value.__class__', '.__class__'],
    ['open(value)', 'open()'],
    ['value.format(1)', '.format()'],
    ["f'{value}'", 'prefix f'],
    ["'%s' % value", 'formatting with %'],
    ['value.append(1)', '.append()'],
    ['{x for x in value}', 'set'],
    ['re.sub(value)', '.sub()'],
    ['value if', 'no Python expression'],
    ['(lambda: value)()', 'no name'],
    ['other + value', 'the name other is not known, value is'],
  ])('is refused when it asks for more than its inputs: %s', (text, reason) => {
    const run = () => compile(text, ['value']);

    expect(run).toThrow(UnsupportedError);
    expect(run).toThrow(reason);
  });
});

describe('a text that may be an expression', () => {
  it.each([
    'v1/clusters/detail',
    'v2/images?limit=20',
    '/v2.1/servers/detail?all_tenants=true',
    'v2/images.json',
    "echo '<test/>'",
    'aws s3api list-objects',
    'http://host/path',
    'servers',
  ])('is literal when it is no Python or names what nobody knows: %s', (text) => {
    const expression = compileIfExpression(text, ['sample']);

    expect(expression).toBeUndefined();
  });

  it('is an expression when it names its inputs only', () => {
    const expression = compileIfExpression("'/v3/projects/' + str(sample['project_id'])", ['sample']);

    expect(expression?.({ sample: { project_id: 'p1' } })).toBe('/v3/projects/p1');
  });

  it.each(["__import__('os').popen('id').read()", "f'/v3/{sample}'", "sample['a'].encode()"])(
    'is refused when Python would work out more than is allowed: %s',
    (text) => {
      const run = () => compileIfExpression(text, ['sample']);

      expect(run).toThrow(UnsupportedError);
    },
  );
});

const words = [
  ...FUNCTIONS.keys(),
  ...METHODS,
  ...PYTHON_NAMES,
  ...['value', 'constructor', 'prototype', '__proto__', 'process', 'globalThis', 'require', 'this', 'toString', 'call'],
  ...['lambda', 'if', 'else', 'for', 'in', 'not', 'and', 'or', 'is', 'None', 'True'],
  ...["'constructor'", "'__proto__'", "'x'", '0', '1', '-1', '9', '2.5', '(', ')', '[', ']', '{', '}', '.', ',', ':'],
  ...['+', '-', '*', '**', '/', '//', '%', '==', '<', '|', '=', '.get(', '.join(', '(lambda x: ', ' for x in value'],
];

const noise = fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((parts) => parts.join(' '));
const { tree } = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom('value', "'constructor'", "'__proto__'", "'a'", '3', '2.5', 'None', 'True', '[]', '{}', 'str', 'x'),
    fc
      .tuple(tie('tree'), fc.constantFrom('+', '*', '%', '//', '==', '<', 'in', 'and', 'or', '-'), tie('tree'))
      .map(([a, o, b]) => `(${a} ${o} ${b})`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `${a}[${b}]`),
    fc.tuple(tie('tree'), fc.constantFrom(...METHODS), tie('tree')).map(([a, m, b]) => `${a}.${m}(${b})`),
    fc.tuple(fc.constantFrom(...FUNCTIONS.keys()), tie('tree'), tie('tree')).map(([f, a, b]) => `${f}(${a}, ${b})`),
    fc.tuple(fc.constantFrom(...FUNCTIONS.keys()), tie('tree')).map(([f, a]) => `${f}(${a})`),
    fc
      .tuple(fc.constantFrom('map', 'filter'), tie('tree'), tie('tree'))
      .map(([f, a, b]) => `${f}(lambda x: ${a}, ${b})`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `[${a} for x in ${b}]`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `{${a}: ${b}}`),
  ),
}));

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.values(value).every(isPlain);
  }
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol';
}

describe('any text at all', () => {
  it.each([
    ['of random words', noise],
    ['in the form of an expression', tree],
    ['of random characters', fc.string({ unit: 'binary', maxLength: 30 })],
  ])('%s is refused, fails, or gives plain data, and reaches nothing but its inputs', (_what, texts) => {
    const value = frozen({ a: [1, 'x', { b: null }], x: 'text', n: 3 });
    const marks = Object.getOwnPropertyNames(Object.prototype).join();
    const globals = Object.getOwnPropertyNames(globalThis).join();

    fc.assert(
      fc.property(texts, (text) => {
        let given: unknown;
        try {
          given = compile(text, ['value'])({ value });
        } catch (error) {
          if (error instanceof UnsupportedError || error instanceof EvaluationError) return true;
          throw error;
        }
        return isPlain(given);
      }),
      { numRuns: 1500 },
    );

    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(marks);
    expect(Object.getOwnPropertyNames(globalThis).join()).toBe(globals);
  });
});
