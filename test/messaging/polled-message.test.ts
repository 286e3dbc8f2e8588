import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/messaging/notification-message.ts';
import { findPolledSamples } from '../../src/messaging/polled-message.ts';
import { telemetryEndpoint } from '../../src/notifications/telemetry.ts';
import { sampleDict, sampleJson } from '../../src/publishers/records.ts';
import { ValueError } from '../../src/python/value.ts';
import { stringifyJson } from '../../src/wire/json.ts';
import { parseExactJson } from '../../src/wire/json-parser.ts';
import { goldenCases } from '../helpers/golden-notifications.ts';

const properties = { contentType: 'application/json', contentEncoding: 'utf-8', headers: {} };
const endpoint = telemetryEndpoint('openstack', undefined);

/** What comes of a message: lines of JSON, or the kind of error. */
function outcome(text: string): string {
  try {
    const { notification } = decodeMessage(Buffer.from(text), properties);
    if (notification === undefined) return 'nothing';
    const samples = [...endpoint.process(notification)];
    const lines = samples.map((sample) => stringifyJson(parseExactJson(sampleJson(sample))));
    expect(samples.map((sample) => stringifyJson(sampleDict(sample)))).toEqual(lines);
    return lines.join('\n');
  } catch (error) {
    if (error instanceof ValueError || error instanceof Error) return `fails: ${error.name}`;
    throw error;
  }
}

/** The same message in a form that has to be read in full: an escape in a key. */
function unusual(text: string): string {
  return text.replace('"samples"', '"\\u0073amples"');
}

const sample = fc.record(
  {
    source: fc.constantFrom('openstack', '', null, 'é'),
    counter_name: fc.constantFrom('cpu', 'a"b', 'ü', 7, null),
    counter_type: fc.constantFrom('gauge', 'delta', 'cumulative', 'other'),
    counter_unit: fc.constantFrom('ns', '', null),
    counter_volume: fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom('7', true, null, [1]),
    ),
    user_id: fc.constantFrom(null, 'u', '\\'),
    project_id: fc.constantFrom(null, 'p'),
    project_name: fc.constantFrom(null, 'name'),
    resource_id: fc.constantFrom('r', null, { a: 1 }),
    timestamp: fc.constantFrom('2026-03-01T00:00:00', 'odd', null),
    resource_metadata: fc.oneof(
      fc.constantFrom(null, {}, [], 'x'),
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
    ),
    message_id: fc.constantFrom('m', '', null),
    monotonic_time: fc.constantFrom(null, 1.5),
    message_signature: fc.string(),
    extra: fc.jsonValue(),
  },
  { requiredKeys: ['counter_name', 'source', 'counter_volume'] },
);

/** As Python writes it, which is what passes through. */
function wrapped(samples: readonly unknown[]): string {
  const text = JSON.stringify({
    message_id: 'id',
    publisher_id: 'p',
    event_type: 'telemetry.polling',
    priority: 'SAMPLE',
    payload: { samples },
    timestamp: '2026-03-01 00:00:00',
    _unique_id: 'u',
  });
  return stringifyJson(parseExactJson(text));
}

const recorded = {
  source: 's',
  counter_name: 'n',
  counter_type: 'gauge',
  counter_unit: 'u',
  counter_volume: 1.5,
  user_id: null,
  user_name: null,
  project_id: 'p',
  project_name: 'P',
  resource_id: 'r',
  timestamp: 't',
  resource_metadata: { a: [1, { b: 'c' }] },
  message_id: 'm',
  monotonic_time: 1.5,
  message_signature: '',
};

describe('polled samples that pass through as text', () => {
  it('come out as those that were read in full, whatever they are', () => {
    const complete = fc.record({
      source: fc.constant('openstack'),
      counter_name: fc.constantFrom('cpu', 'ü"'),
      counter_type: fc.constant('gauge'),
      counter_unit: fc.constant('ns'),
      counter_volume: fc.oneof(fc.integer(), fc.constantFrom(0.5, '7', true, null)),
      user_id: fc.constant(null),
      project_id: fc.constantFrom(null, 'p\n'),
      resource_id: fc.constantFrom('r', null),
      timestamp: fc.constant('2026-03-01T00:00:00'),
      resource_metadata: fc.oneof(
        fc.constantFrom(null, {}),
        fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
      ),
      message_id: fc.constantFrom('m', null, ''),
    });

    fc.assert(
      fc.property(fc.array(fc.oneof(sample, complete, complete), { maxLength: 4 }), (samples) => {
        const text = wrapped(samples);

        expect(outcome(text)).toBe(outcome(unusual(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('fail as those that were read in full when the text is damaged', () => {
    const good = wrapped([recorded]);

    fc.assert(
      fc.property(
        fc.nat(good.length),
        fc.constantFrom('', '"', '\\', '{', ']', ',', ':', '1', 'x', '\n', '-'),
        fc.boolean(),
        (at, noise, cut) => {
          const text = good.slice(0, at) + noise + good.slice(at + (cut ? 1 : 0));
          const found = findPolledSamples(text);
          if (found === undefined) return;

          expect(outcome(text)).toBe(outcome(unusual(text)));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('give way to a second payload after them', () => {
    const text = wrapped([]).replace('"samples": []', '"samples": [1]');
    const good = wrapped([recorded]);
    const twice = (tail: string) => good.replace(/\}$/, `, ${tail}}`);

    expect(findPolledSamples(good)).toBeDefined();
    expect(outcome(twice('"payload": {"samples": []}'))).toBe('');
    expect(outcome(twice('"event_type": "other"'))).toBe(outcome(unusual(twice('"event_type": "other"'))));
    expect(findPolledSamples(text)).toBeUndefined();
  });

  it('may be as long as they like', () => {
    const long = wrapped([{ ...recorded, project_name: `${'x'.repeat(20_000_000)}\n` }]);

    expect(findPolledSamples(long)?.samples).toHaveLength(1);
    expect(findPolledSamples(long.slice(0, -30_000))).toBeUndefined();
  });

  it('is how the recorded messages pass', () => {
    const passed = goldenCases().filter(({ name, body }) => {
      const inner: unknown = JSON.parse(body.replaceAll('NaN', 'null').replaceAll('Infinity', 'null'));
      const text =
        typeof inner === 'object' && inner !== null && 'oslo.message' in inner ? String(inner['oslo.message']) : body;
      return name.startsWith('polling.') && findPolledSamples(text) !== undefined;
    });

    expect(passed.length).toBeGreaterThan(8);
  });
});
