import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPollingFile, type LoadedPolling, loadPolling } from '../../src/config/polling.ts';
import { mistakes, tempFiles } from './temp-files.ts';

function loadText(text: string): LoadedPolling {
  const folder = tempFiles({ 'p.yaml': text });
  const { sources, warnings } = loadPolling(join(folder, 'p.yaml'));
  return { sources, warnings: warnings.map((warning) => warning.replaceAll(`${folder}/`, '')) };
}

function mistakesIn(text: string): readonly string[] {
  const folder = tempFiles({ 'p.yaml': text });
  return mistakes(folder, () => loadPolling(join(folder, 'p.yaml')));
}

/** A file of one source, whose fields are on lines of their own from line 2. */
const source = (...fields: readonly string[]): string => `sources:\n  - ${fields.join('\n    ')}\n`;

describe('loadPolling', () => {
  it('reads sources with all they can have', () => {
    const { sources, warnings } = loadText(
      'sources:\n' +
        '  - name: a\n    interval: 60\n    meters: [cpu, "disk.*"]\n    resources: [x://1]\n    discovery: [local_instances]\n' +
        '  - name: b\n    interval: 300\n    meters:\n      - "!cpu"\n',
    );

    expect(warnings).toEqual([]);
    expect(sources).toEqual([
      {
        name: 'a',
        interval: 60,
        meters: ['cpu', 'disk.*'],
        resources: ['x://1'],
        discovery: ['local_instances'],
        where: expect.stringMatching(/\/p\.yaml:2$/),
      },
      {
        name: 'b',
        interval: 300,
        meters: ['!cpu'],
        resources: [],
        discovery: [],
        where: expect.stringMatching(/\/p\.yaml:7$/),
      },
    ]);
  });

  it.each([
    ['60', 60],
    ['"60"', 60],
    ['60.0', 60],
    ['1:30', 90],
    ['010', 8],
  ])('reads the interval %s as Python would: %i seconds', (text, seconds) => {
    const { sources } = loadText(source('name: a', `interval: ${text}`, 'meters: [cpu]'));

    expect(sources[0]?.interval).toBe(seconds);
  });

  it.each([
    [['*']],
    [['*', '!cpu']],
    [['*.bytes', '!disk.*']],
    [['!cpu', '!disk.*']],
    [['cpu', 'disk.*']],
    [['*.bytes', 'cpu']],
  ])('takes the selection %j', (meters) => {
    const { sources } = loadText(source('name: a', 'interval: 1', `meters: ${JSON.stringify(meters)}`));

    expect(sources[0]?.meters).toEqual(meters);
  });

  const interval = 'expected a whole number of seconds from 1 to 2147483';
  it.each<[string, string, readonly string[]]>([
    ['an empty file', '', ['p.yaml:1: expected a mapping, got nothing']],
    ['a file with comments only', '# x\n', ['p.yaml:1: expected a mapping, got nothing']],
    ['a list', '- a\n', ['p.yaml:1: expected a mapping, got a list']],
    ['a file without sources', 'pipelines: []\n', ['p.yaml:1: sources: expected a list, got nothing']],
    ['sources that are nothing', 'x: 1\nsources:\n', ['p.yaml:2: sources: expected a list, got nothing']],
    ['a source that is a text', 'sources:\n  - cpu\n', ['p.yaml:2: sources[0]: expected a mapping, got "cpu"']],
    [
      'a source without name, interval and meters',
      'sources:\n  - {}\n',
      [
        'p.yaml:2: sources[0].name: expected a name, got nothing',
        `p.yaml:2: sources[0].interval: ${interval}, got nothing`,
        'p.yaml:2: sources[0].meters: expected a list, got nothing',
      ],
    ],
    [
      'an interval of 0',
      source('name: a', 'interval: 0', 'meters: [cpu]'),
      [`p.yaml:3: sources[0].interval: ${interval}, got 0`],
    ],
    [
      'an interval below 0',
      source('name: a', 'interval: -5', 'meters: [cpu]'),
      [`p.yaml:3: sources[0].interval: ${interval}, got -5`],
    ],
    [
      'an interval that is no number',
      source('name: a', 'interval: 5m', 'meters: [cpu]'),
      [`p.yaml:3: sources[0].interval: ${interval}, got "5m"`],
    ],
    [
      'an interval with a fraction',
      source('name: a', 'interval: 1.5', 'meters: [cpu]'),
      [`p.yaml:3: sources[0].interval: ${interval}, got 1.5`],
    ],
    [
      'an interval that no timer can wait',
      source('name: a', 'interval: 2147484', 'meters: [cpu]'),
      [`p.yaml:3: sources[0].interval: ${interval}, got 2147484`],
    ],
    [
      'meters that are no list',
      source('name: a', 'interval: 1', 'meters: cpu'),
      ['p.yaml:4: sources[0].meters: expected a list, got "cpu"'],
    ],
    [
      'no meters',
      source('name: a', 'interval: 1', 'meters: []'),
      ['p.yaml:4: sources[0].meters: expected at least one meter, got an empty list'],
    ],
    [
      'meters that are no text',
      source('name: a', 'interval: 1', 'meters:', '  - cpu', '  - 5', '  - ""'),
      [
        'p.yaml:6: sources[0].meters[1]: expected a text, got 5',
        'p.yaml:7: sources[0].meters[2]: expected a text, got ""',
      ],
    ],
    [
      'included and excluded meters',
      source('name: a', 'interval: 1', 'meters: [cpu, "!disk.*"]'),
      ['p.yaml:4: sources[0].meters: expected included or excluded meters, got both "cpu" and "!disk.*"'],
    ],
    [
      'all meters and included ones',
      source('name: a', 'interval: 1', 'meters: ["*", cpu]'),
      ['p.yaml:4: sources[0].meters: expected either "*" or names, got both "*" and "cpu"'],
    ],
    [
      'resources that are no list',
      source('name: a', 'interval: 1', 'meters: [cpu]', 'resources: x'),
      ['p.yaml:5: sources[0].resources: expected a list, got "x"'],
    ],
    [
      'a discovery that is no list',
      source('name: a', 'interval: 1', 'meters: [cpu]', 'discovery: {x: 1}'),
      ['p.yaml:5: sources[0].discovery: expected a list, got a mapping'],
    ],
    [
      'an exclusion without quotes',
      source('name: a', 'interval: 1', 'meters:', '  - !disk.*'),
      ['p.yaml:5: unknown tag !disk.*: a text that starts with ! has to be in quotes, as "!disk.*"'],
    ],
    [
      'what is not YAML',
      'sources: [\n',
      ['p.yaml:2: not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['several documents', '---\na: 1\n---\nb: 2\n', ['p.yaml:3: expected one document, got several']],
  ])('refuses %s', (_, text, expected) => {
    expect(mistakesIn(text)).toEqual(expected);
  });

  it('takes the last of two equal keys, and two sources of one name, with warnings', () => {
    const { sources, warnings } = loadText(
      `${source('name: a', 'interval: 1', 'interval: 2', 'meters: [cpu]')}  - {name: a, interval: 2, meters: [disk]}\n`,
    );

    expect(sources.map(({ name, interval }) => [name, interval])).toEqual([
      ['a', 2],
      ['a (2)', 2],
    ]);
    expect(warnings).toEqual([
      expect.stringMatching(/p\.yaml:4: the key interval is there already, this one counts$/),
      expect.stringMatching(/p\.yaml:6: sources\[1\]\.name: another source has the name "a" already$/),
    ]);
  });

  it('warns of unknown keys, with the one that was probably meant', () => {
    const { sources, warnings } = loadText(
      `${source('name: a', 'interval: 1', 'meters: [cpu]', 'resource: [x]', 'sinks: [y]')}sources2: []\n`,
    );

    expect(sources).toHaveLength(1);
    expect(warnings).toEqual([
      'p.yaml:7: unknown key sources2, did you mean sources',
      'p.yaml:5: sources[0]: unknown key resource, did you mean resources',
      'p.yaml:6: sources[0]: unknown key sinks',
    ]);
  });

  it('keeps a coordination expression with its place, and warns of a file that polls nothing', () => {
    const expression = loadText(
      source('name: a', 'interval: 1', 'meters: [cpu]', 'group_id_coordination_expression: x'),
    );
    const nothing = loadText('sources: []\n');

    expect(expression.warnings).toEqual([]);
    expect(expression.sources[0]?.groupExpression?.text).toBe('x');
    expect(expression.sources[0]?.groupExpression?.where).toMatch(
      /p\.yaml:5: sources\[0\]\.group_id_coordination_expression$/,
    );
    expect(nothing).toEqual({ sources: [], warnings: ['p.yaml:1: sources: the list is empty, so nothing is polled'] });
  });

  it('tells of a file that is not there', () => {
    const folder = tempFiles({});

    expect(mistakes(folder, () => loadPolling(join(folder, 'p.yaml')))).toEqual(['p.yaml: does not exist']);
  });

  it('either loads a file or tells what is wrong with it, whatever it has', () => {
    const scalar = fc.constantFrom(
      'cpu',
      '*',
      '"!x"',
      '5',
      '-1',
      'null',
      'true',
      '[]',
      '{}',
      '[cpu]',
      '2020-01-01',
      '&a x',
      '*a',
    );
    const field = fc.tuple(fc.constantFrom('name', 'interval', 'meters', 'resources', 'discovery', 'other'), scalar);
    const files = fc.array(fc.array(field, { minLength: 1, maxLength: 6 }), { maxLength: 3 });

    fc.assert(
      fc.property(files, (sources) => {
        const items = sources.map((fields) => `  - {${fields.map(([key, value]) => `${key}: ${value}`).join(', ')}}\n`);
        const folder = tempFiles({ 'p.yaml': `sources:\n${items.join('')}` });
        try {
          const loaded = loadPolling(join(folder, 'p.yaml'));
          for (const { interval: seconds, meters } of loaded.sources) {
            expect(seconds).toBeGreaterThan(0);
            expect(meters.length).toBeGreaterThan(0);
          }
        } catch (error) {
          expect(error).toHaveProperty('code', 'ERR_CONFIG');
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('findPollingFile', () => {
  it('takes an absolute path, or the first file of that name on the way', () => {
    const folder = tempFiles({ 'b/own-polling.yaml': '', 'c/own-polling.yaml': '' });
    const searchPath = ['a', 'b', 'c'].map((name) => join(folder, name));

    expect(findPollingFile('own-polling.yaml', searchPath)).toBe(join(folder, 'b/own-polling.yaml'));
    expect(findPollingFile(join(folder, 'c/own-polling.yaml'), searchPath)).toBe(join(folder, 'c/own-polling.yaml'));
  });

  it('falls back on the file that comes with this package for the default name only', () => {
    const folder = tempFiles({});

    const shipped = findPollingFile('polling.yaml', [folder]);
    const missing = mistakes(folder, () => findPollingFile('own-polling.yaml', [folder]));

    expect(existsSync(shipped)).toBe(true);
    expect(missing).toEqual([`[polling] cfg_file: own-polling.yaml does not exist, nor is it in ${folder}`]);
  });
});
