import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Assignment, parseIni } from '../../src/config/ini.ts';

const pairs = (text: string): readonly (readonly [string, string, string])[] =>
  parseIni(text).assignments.map(({ section, key, value }) => [section, key, value]);

describe('parseIni', () => {
  it.each([
    [
      'keys under their section',
      '[a]\nk = v\n[b]\nk = w\n',
      [
        ['a', 'k', 'v'],
        ['b', 'k', 'w'],
      ],
    ],
    [
      'a repeated key as often as it is written, in order',
      '[a]\nk=1\nk=2\n',
      [
        ['a', 'k', '1'],
        ['a', 'k', '2'],
      ],
    ],
    [
      'the first of = and : as the separator',
      '[a]\nk: a=b\nl = c:d\n',
      [
        ['a', 'k', 'a=b'],
        ['a', 'l', 'c:d'],
      ],
    ],
    ['# and ; inside a value as part of it', '[a]\nk = s#ecr;et # x\n', [['a', 'k', 's#ecr;et # x']]],
    ['# and ; at the start of a line as comments', '# x\n[a]\n;k = v\n#k = v\n', []],
    [
      'an indented line as the continuation of a value',
      '[a]\nk = one\n  two\n\tthree\n',
      [['a', 'k', 'one\ntwo\nthree']],
    ],
    ['an indented comment as a continuation too', '[a]\nk = one\n  # two\n', [['a', 'k', 'one\n# two']]],
    [
      'a blank line as the end of a value',
      '[a]\nk = one\n   \nl = two\n',
      [
        ['a', 'k', 'one'],
        ['a', 'l', 'two'],
      ],
    ],
    [
      'matching quotes as no part of the value',
      '[a]\nk = " x "\nl = \'y\'\n',
      [
        ['a', 'k', ' x '],
        ['a', 'l', 'y'],
      ],
    ],
    [
      'quotes that do not match as part of the value',
      '[a]\nk = "x\'\nl = x"\n',
      [
        ['a', 'k', '"x\''],
        ['a', 'l', 'x"'],
      ],
    ],
    ['an empty value', '[a]\nk =\n', [['a', 'k', '']]],
    [
      'a header in the middle of a file that comes again',
      '[a]\nk=1\n[b]\n[a]\nl=2\n',
      [
        ['a', 'k', '1'],
        ['a', 'l', '2'],
      ],
    ],
    [
      'line ends of every system',
      '[a]\r\nk=1\rl=2\r\n',
      [
        ['a', 'k', '1'],
        ['a', 'l', '2'],
      ],
    ],
    ['a byte order mark as nothing', '\ufeff[a]\nk=1\n', [['a', 'k', '1']]],
    ['a file that does not end with a newline', '[a]\nk=1', [['a', 'k', '1']]],
    ['keys that are names of object members', '[__proto__]\nconstructor = 1\n', [['__proto__', 'constructor', '1']]],
  ])('reads %s', (_, text, expected) => {
    const ini = parseIni(text);

    expect(ini.errors).toEqual([]);
    expect(pairs(text)).toEqual(expected);
  });

  it('knows the line of each key and section', () => {
    const ini = parseIni('# top\n[a]\n\nk = one\n  two\nl = 3\n');

    expect(ini.sections).toEqual([{ name: 'a', line: 2 }]);
    expect(ini.assignments.map(({ key, line }) => [key, line])).toEqual([
      ['k', 4],
      ['l', 6],
    ]);
  });

  it.each([
    ['a key before any section', 'k = v\n', 1, 'expected a section such as [DEFAULT] before the first key'],
    ['a line that is no assignment', '[a]\nhello\n', 2, 'expected "key = value", got neither = nor :'],
    ['an assignment without a key', '[a]\n= v\n', 2, 'expected a key before = or :'],
    ['a header that is not closed', '[a\n', 1, 'expected a section header that ends with ]'],
    ['a header with a comment after it', '[a] # x\n', 1, 'expected a section header that ends with ]'],
    ['a header without a name', '[]\n', 1, 'expected the name of a section between [ and ]'],
    [
      'an indented line that continues nothing',
      '[a]\n  k = v\n',
      2,
      'expected a key, got an indented line that continues none',
    ],
    [
      'an indented line after a comment',
      '[a]\nk = v\n# c\n  w\n',
      4,
      'expected a key, got an indented line that continues none',
    ],
  ])('refuses %s', (_, text, line, message) => {
    expect(parseIni(text).errors).toEqual([{ line, message }]);
  });

  it('goes on after a mistake, to find all of them', () => {
    const ini = parseIni('[a]\noops\n  part of oops\n[b\nlost = 1\n[c]\nk = v\n= x\n');

    expect(ini.errors.map(({ line }) => line)).toEqual([2, 4, 8]);
    expect(ini.assignments.map(({ section, key }) => [section, key])).toEqual([['c', 'k']]);
  });

  it('reads back what is printed in its dialect', () => {
    const word = fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,9}$/);
    const line = fc.stringMatching(/^[!-~é]([ -~é]{0,20}[!-~é])?$/);
    const value = fc.array(line, { minLength: 1, maxLength: 3 });
    const quoting = fc.constantFrom('"', "'");
    const file = fc.array(fc.record({ section: word, key: word, value, quote: quoting, gap: fc.boolean() }));

    fc.assert(
      fc.property(file, (rows) => {
        const text = rows
          .map(({ section, key, value: [first, ...rest], quote, gap }) =>
            [
              `[${section}]`,
              `${key} = ${quote}${first}${quote}`,
              ...rest.map((more) => `    ${more}`),
              ...(gap ? [''] : []),
            ].join('\n'),
          )
          .join('\n');

        const ini = parseIni(text);

        expect(ini.errors).toEqual([]);
        expect(ini.assignments.map(({ line: _, ...rest }): Omit<Assignment, 'line'> => rest)).toEqual(
          rows.map((row) => ({ section: row.section, key: row.key, value: row.value.join('\n') })),
        );
      }),
    );
  });

  it('never throws, and places everything inside of the file', () => {
    const piece = fc.constantFrom(
      '[a]',
      '[',
      ']',
      'k',
      '=',
      ':',
      ' ',
      '\t',
      '\n',
      '\r\n',
      '#',
      ';',
      '"',
      "'",
      '\0',
      '😀',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.array(piece).map((pieces) => pieces.join('')),
    );

    fc.assert(
      fc.property(text, (input) => {
        const { assignments, errors, sections } = parseIni(input);
        const lines = input.split(/\r\n|\r|\n/).length;

        const places = [...assignments, ...errors, ...sections].map(({ line }) => line);
        expect(places.filter((line) => line < 1 || line > lines)).toEqual([]);
      }),
    );
  });
});
