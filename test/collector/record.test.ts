import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkedRecord,
  InvalidSample,
  isoOf,
  type LooseSample,
  microsOf,
  recordOf,
} from '../../src/collector/record.ts';
import { idBytes, idText } from '../../src/collector/store/message-id.ts';
import { WholeFloat } from '../../src/wire/value.ts';
import { polled } from './rig.ts';

const loose: LooseSample = {
  id: 'i',
  name: 'cpu',
  type: 'gauge',
  unit: 'ns',
  volume: 1,
  resourceId: 'r',
  projectId: null,
  projectName: null,
  userId: null,
  userName: null,
  source: 's',
  timestamp: '2026-11-24T12:00:00',
  metadata: '{}',
};

describe('a record', () => {
  it.each([
    [1, 1n],
    [new WholeFloat(1), 1],
    [new WholeFloat(-0), 0],
    [1.5, 1.5],
    [10n ** 30n, 10n ** 30n],
    [true, 1n],
    ['7', 7n],
    [' +7 ', 7n],
    ['7.0', 7],
    ['-1e3', -1000],
  ])('takes the volume %s', (volume, expected) => {
    expect(checkedRecord({ ...loose, volume }).volume).toBe(expected);
  });

  it.each([null, '', 'many', '1e999', Number.NaN, Number.POSITIVE_INFINITY, [1], {}, '0x10', 10n ** 400n])(
    'refuses the volume %s',
    (volume) => {
      expect(() => checkedRecord({ ...loose, volume })).toThrow(/^counter_volume: expected a finite number/);
    },
  );

  it.each<[Partial<LooseSample>, RegExp]>([
    [{ id: null }, /^message_id: expected a text, got null$/],
    [{ id: '' }, /^message_id: /],
    [{ name: 7 }, /^counter_name: expected a text, got 7$/],
    [{ type: 'rate' }, /^counter_type: expected gauge, delta or cumulative, got "rate"$/],
    [{ resourceId: 'a\0b' }, /^resource_id: has a NUL character$/],
    [{ resourceId: 'x'.repeat(601) }, /^resource_id: longer than 600 characters$/],
    [{ projectId: {} }, /^project_id: expected a text, got an object$/],
    [{ timestamp: 'noon' }, /^timestamp: expected an ISO 8601 date, got "noon"$/],
    [{ timestamp: null }, /^timestamp: /],
    [{ metadata: '[1]' }, /^resource_metadata: expected an object/],
  ])('refuses %o', (parts, message) => {
    const check = () => checkedRecord({ ...loose, ...parts });

    expect(check).toThrow(InvalidSample);
    expect(check).toThrow(message);
  });

  it('is made of a sample of our own, floats and integers kept apart', () => {
    expect(recordOf(polled(3))).toMatchObject({ meter: 'cpu', volume: 3n, metadata: '{"host": "h1"}' });
    expect(recordOf(polled(3, { volume: 3 })).volume).toBe(3);
  });

  it('keeps the microseconds of any date, in any zone', () => {
    expect(isoOf(microsOf('2026-11-24T12:00:00.000001+02:00'))).toBe('2026-11-24T10:00:00.000001');
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000_000, max: 9_007_199_254_740_991 }), (time) => {
        expect(microsOf(isoOf(time))).toBe(time);
      }),
    );
  });
});

describe('message ids', () => {
  it('are the same after they were bytes, and no two have the same bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uuid(), fc.string(), fc.string({ minLength: 14, maxLength: 17 })), (id) => {
        expect(idText(idBytes(id))).toBe(id);
        expect(idBytes(id).length === 16).toBe(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id));
      }),
    );
    expect(idText(idBytes('00000000-0000-4000-8000-00000000000A'))).toBe('00000000-0000-4000-8000-00000000000A');
  });
});
