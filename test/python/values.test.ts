import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { naiveIso, parseDateTime, secondsBetween, toUtc, zonedIso } from '../../src/python/datetime.ts';
import { toFloat, toInteger } from '../../src/python/number.ts';
import { matchAtStart, substitution } from '../../src/python/regex.ts';
import { cropped, reprOf, textOf } from '../../src/python/text.ts';
import { compareStrings, floatValue, isTrue, ValueError } from '../../src/python/value.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { isObject, type JsonValue, keysOf, WholeFloat } from '../../src/wire/value.ts';

interface RecordedValue {
  readonly json: string;
  readonly str: string | null;
  readonly repr: string;
  readonly cropped: string;
  readonly int: string | null;
  readonly float: string | null;
  readonly true: boolean;
}

interface RecordedDate {
  readonly text: string;
  readonly zoned: string | null;
  readonly naive?: string | null;
}

function fixture<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/python/${name}`, import.meta.url), 'utf8')) as T[];
}

function orNull(work: () => JsonValue): string | null {
  try {
    return stringifyJson(work());
  } catch (error) {
    if (error instanceof ValueError) return null;
    throw error;
  }
}

/** What CPython 3.11 printed for these values. */
describe('values', () => {
  it.each(fixture<RecordedValue>('values.json').map((row) => [row.json.slice(0, 60), row] as const))(
    '%s is what Python makes of it',
    (_name, row) => {
      const value = parseExactJson(row.json);

      if (!row.json.includes('"10"')) expect(stringifyJson(value)).toBe(row.json);
      expect(reprOf(value).slice(0, 400)).toBe(row.repr);
      if (row.str !== null) expect(textOf(value).slice(0, 400)).toBe(row.str);
      expect(cropped(textOf(value), 255)).toBe(row.cropped);
      expect(orNull(() => toInteger(value))).toBe(row.int);
      expect(orNull(() => floatValue(toFloat(value)))).toBe(row.float);
      expect(isTrue(value)).toBe(row.true);
    },
  );

  it('keeps every JSON document as it is', () => {
    const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.bigInt(), fc.boolean(), fc.constant(null));
    const leaf = scalar.map((value): JsonValue => {
      if (typeof value === 'number') return floatValue(value);
      if (typeof value !== 'bigint') return value;
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    });
    const tree = fc.letrec<{ node: JsonValue }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('node'), { maxKeys: 4 }),
      ),
    })).node;

    fc.assert(
      fc.property(tree, (value) => {
        const text = stringifyJson(value);

        expect(stringifyJson(parseExactJson(text))).toBe(text);
        expect(/^[\x20-\x7e]*$/.test(text)).toBe(true);
      }),
    );
  });

  it('reads what JSON.parse reads, and refuses what it refuses', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', '\\', '0', '1.0'), (json, at, noise) => {
        const text = json.slice(0, at % (json.length + 1)) + noise + json.slice(at % (json.length + 1));
        let expected: string | undefined;
        try {
          expected = JSON.stringify(JSON.parse(text));
        } catch {
          expected = undefined;
        }

        // An exponent beyond all floats is infinite, which Python prints and JSON.stringify does not.
        if (expected !== undefined && /Infinity/.test(stringifyJson(parseExactJson(text)))) return;
        if (expected === undefined) expect(() => parseExactJson(text)).toThrow(SyntaxError);
        else
          expect(JSON.stringify(JSON.parse(stringifyJson(parseExactJson(`[1.0, ${text}]`))))).toBe(`[1,${expected}]`);
      }),
    );
  });

  it('keeps the order of keys that JavaScript would sort', () => {
    const value = parseExactJson('{"b": 1, "10": 2, "2": 3}');

    expect(value).toEqual({ b: 1, 10: 2, 2: 3 });
    expect(isObject(value) && keysOf(value)).toEqual(['b', '10', '2']);
  });

  it('refuses a document nested deeper than Python reads', () => {
    expect(() => parseExactJson(`${'['.repeat(100_000)}1.0`)).toThrow(SyntaxError);
    expect(stringifyJson(parseExactJson(`${'['.repeat(400)}1.0${']'.repeat(400)}`))).toContain('[1.0]');
  });

  it('orders strings by code point', () => {
    expect(compareStrings('\uffff', '😀')).toBeLessThan(0);
    expect(compareStrings('a', 'b')).toBeLessThan(0);
    expect(compareStrings('ab', 'a')).toBeGreaterThan(0);
  });

  it('tells whole floats from integers', () => {
    expect(parseExactJson('[1.0, 1, 1e3]')).toEqual([new WholeFloat(1), 1, new WholeFloat(1000)]);
  });
});

describe('dates', () => {
  it.each(fixture<RecordedDate>('dates.json').map((row) => [JSON.stringify(row.text), row] as const))(
    '%s is what oslo.utils makes of it',
    (_name, row) => {
      if (row.zoned === null) {
        expect(() => parseDateTime(row.text)).toThrow(ValueError);
        return;
      }
      const when = parseDateTime(row.text);

      expect(zonedIso(when)).toBe(row.zoned);
      if (row.naive === null) expect(() => toUtc(when)).toThrow(ValueError);
      else expect(naiveIso(toUtc(when))).toBe(row.naive);
    },
  );

  it('counts seconds across zones', () => {
    const [start, end] = [parseDateTime('2026-03-01T01:00:00+01:00'), parseDateTime('2026-03-01T00:01:30.5Z')];

    expect(secondsBetween(start, end)).toBe(90.5);
  });
});

describe('regular expressions', () => {
  it.each([
    ['compute.instance.(?!create.start|update).*', 'compute.instance.exists', true],
    ['compute.instance.(?!create.start|update).*', 'compute.instance.update', false],
    ['l3.meter', 'l3-meterX', true],
    ['volume\\.size$', 'volume.size\n', true],
    ['a.c', 'a\u2028c', true],
    ['a.c', 'a\nc', false],
    ['(?i)IMAGE', 'image.send', true],
    ['(?P<x>a)(?P=x)', 'aa', true],
    ['[\\w-]+\\Z', 'é-1', true],
    ['x{a}', 'x{a}', true],
    ['a{2}', 'aa', true],
    ['a{,2}b', 'aab', true],
    ['a{,}b', 'b', true],
    ['[[]', '[', true],
  ])('%s on %j: %s', (pattern, text, expected) => {
    expect(matchAtStart(pattern).test(text)).toBe(expected);
  });

  it('puts groups into a replacement', () => {
    expect(substitution('(foo\\d+)\\+(\\d+bar)', '\\2-\\g<1>')('foo5+3bar')).toBe('3bar-foo5');
  });
});
