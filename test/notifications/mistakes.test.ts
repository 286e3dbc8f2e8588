import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventConverter, loadEventConverter } from '../../src/notifications/event-converter.ts';
import { meterDefinitionsEndpoint } from '../../src/notifications/meter-definitions.ts';
import { traitPlugins } from '../../src/notifications/trait-plugins.ts';
import { fakeNotification } from '../../src/testing.ts';
import { recordingLog } from '../helpers/recording-log.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ceilometer-mistakes-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function load(text: string): EventConverter {
  const path = join(directory, 'e.yaml');
  writeFileSync(path, text);
  return loadEventConverter(path, {
    dropUnmatched: false,
    storeRaw: [],
    plugins: new Map(Object.entries(traitPlugins)),
  });
}

function trait(text: string): string {
  return `- event_type: x\n  traits:\n    t: ${text}\n`;
}

describe('event definitions that upstream cannot load, or that it could never use', () => {
  it.each([
    ['nothing', '', 'e.yaml:1: expected a list of event definitions'],
    ['a mapping', 'event_type: x\ntraits: {}\n', 'e.yaml:1: expected a list of event definitions'],
    [
      'two documents',
      '- {event_type: x, traits: {}}\n---\n- {event_type: y, traits: {}}\n',
      'e.yaml:2: expected one doc',
    ],
    ['a tag for an exclusion', '- {event_type: !image.*, traits: {}}\n', 'e.yaml:1: unknown tag !image.*'],
    ['a bare star', '- {event_type: *, traits: {}}\n', 'e.yaml:1: not valid YAML'],
    ['no event type', '- traits: {}\n', 'e.yaml:1: [0]: event_type: expected a pattern or a list of them'],
    ['no traits', '- event_type: x\n', 'e.yaml:1: [0]: traits: expected a mapping'],
    ['a trait without fields', trait('{type: int}'), 'e.yaml:3: [0]: t: the key fields is missing'],
    ['a float for fields', trait('1.5'), 'e.yaml:3: [0]: t: expected a path or an integer'],
    [
      'a path that ends early',
      trait('{fields: "payload.["}'),
      "e.yaml:3: [0]: t: the path 'payload.[' cannot be parsed",
    ],
    [
      'an unknown type',
      trait('{fields: a, type: string}'),
      'e.yaml:3: [0]: t: type: expected text, int, float, datetime',
    ],
    ['no type', trait('{fields: a, type: }'), 'e.yaml:3: [0]: t: type: expected text, int, float, datetime, got None'],
    ['an unknown plugin', trait('{fields: a, plugin: slip}'), 'e.yaml:3: [0]: t: no plugin is named slip, only split'],
    [
      'a segment in quotes',
      trait('{fields: a, plugin: {name: split, parameters: {segment: "1"}}}'),
      'e.yaml:3: [0]: t: plugin split: segment has to be an integer',
    ],
    [
      'a negative bit',
      trait('{fields: a, plugin: {name: bitfield, parameters: {flags: [{path: a, bit: -1}]}}}'),
      'e.yaml:3: [0]: t: plugin bitfield: the bit of a is negative',
    ],
    [
      'an initial field that is no integer',
      trait('{fields: a, plugin: {name: bitfield, parameters: {initial_bitfield: 1.5}}}'),
      'e.yaml:3: [0]: t: plugin bitfield: initial_bitfield has to be an integer',
    ],
  ])('%s: the file is refused with its line', (_what, text, message) => {
    expect(() => load(text)).toThrow(`${directory}/${message}`);
  });

  it.each([
    ['no traits in a list', '- {event_type: x, traits: []}\n'],
    ['the same key twice', '- {event_type: x, event_type: y, traits: {}}\n'],
    ['segments that YAML counts as integers', trait('{fields: a, plugin: {name: split, parameters: {segment: 0x1}}}')],
    ['no limit', trait('{fields: a, plugin: {name: split, parameters: {max_split: ~}}}')],
  ])('%s: the file is taken', (_what, text) => {
    expect(load(text)).toHaveProperty('convert');
  });
});

it('tells in which line of a meter definition the mistake is, and leaves that meter alone out', () => {
  const meters = join(directory, 'meters.d');
  mkdirSync(meters);
  const meter = (name: string, eventType: string, volume: string) =>
    `  - {name: ${name}, event_type: '${eventType}', type: gauge, unit: u, resource_id: $.payload.id,\n     volume: ${volume}}\n`;
  writeFileSync(
    join(meters, 'm.yaml'),
    `metric:\n${meter('good', 'x', '1')}${meter('bad', 'x', '"$.payload.["')}${meter('worse', 'x(', '1')}`,
  );
  const log = recordingLog();

  const endpoint = meterDefinitionsEndpoint({
    directories: [meters],
    plugins: new Map(Object.entries(traitPlugins)),
    reserved: { reservedMetadataNamespace: [], reservedMetadataKeys: [], reservedMetadataLength: 0 },
    source: 's',
    log,
  });
  const samples = endpoint.process(fakeNotification({ eventType: 'x', payload: { id: 'r' } }));

  expect([...samples].map(({ name }) => name)).toEqual(['good']);
  expect(log.fields('a meter definition is wrong and left out')).toMatchObject([
    {
      where: `${meters}/m.yaml:6`,
      meter: 'worse',
      reason: expect.stringMatching(/^event_type: 'x\(' is not a regular/),
    },
    { where: `${meters}/m.yaml:5`, meter: 'bad', reason: expect.stringMatching(/^volume: the path '\$\.payload\.\['/) },
  ]);
});
