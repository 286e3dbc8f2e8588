import { describe, expect, it } from 'vitest';
import { createStamp } from '../../src/agent/stamp.ts';
import type { Meter, Reading } from '../../src/plugin.ts';

const meter: Meter = { name: 'cpu', type: 'cumulative', unit: 'ns' };

function stamp(options: Partial<Parameters<typeof createStamp>[0]> = {}) {
  const time = Date.UTC(2026, 10, 22, 14, 31, 46, 556);
  return createStamp({ sampleSource: 'openstack', pollingSource: 'all', slot: 7, time, meter, ...options });
}

describe('createStamp', () => {
  it('adds what the agent knows to a reading', () => {
    const sample = stamp().make({ resourceId: 'r1', volume: 5n, projectId: 'p1', monotonicTime: 12.5 });

    expect(sample).toMatchObject({
      name: 'cpu',
      type: 'cumulative',
      unit: 'ns',
      volume: 5n,
      resourceId: 'r1',
      projectId: 'p1',
      userId: null,
      timestamp: '2026-11-22T14:31:46.556000',
      monotonicTime: 12.5,
      metadata: {},
      source: 'openstack',
    });
  });

  it('prints a whole second as Python does, without a fraction', () => {
    const sample = stamp({ time: Date.UTC(2026, 10, 22, 14, 31, 46) }).make({ resourceId: 'r1', volume: 1n });

    expect(sample).toMatchObject({ timestamp: '2026-11-22T14:31:46' });
  });

  it('gives a measurement the same id each time, and another id to another slot, source, meter or resource', () => {
    const idOf = (sample: unknown) => (sample as { id: string }).id;
    const reading: Reading = { resourceId: 'r1', volume: 1n };

    const id = idOf(stamp().make(reading));

    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(idOf(stamp().make({ ...reading, volume: 2n }))).toBe(id);
    const others = [
      stamp({ slot: 8 }).make(reading),
      stamp({ pollingSource: 'other' }).make(reading),
      stamp({ meter: { ...meter, name: 'vcpus' } }).make(reading),
      stamp().make({ ...reading, resourceId: 'r2' }),
    ].map(idOf);
    expect(new Set([id, ...others]).size).toBe(5);
  });

  it('keeps apart two readings of one meter and resource in one poll', () => {
    const one = stamp();

    const ids = [1n, 2n].map((volume) => one.make({ resourceId: 'nova-filter', volume }) as { id: string });

    expect(ids[0]?.id).not.toBe(ids[1]?.id);
  });

  it('makes whole numbers integers, unless the meter is one of fractions', () => {
    const float: Meter = { name: 'memory', type: 'gauge', unit: 'MiB', float: true };

    expect(stamp().make({ resourceId: 'r', volume: 3 })).toMatchObject({ volume: 3n });
    expect(stamp().make({ resourceId: 'r', volume: 2 ** 60 })).toMatchObject({ volume: 1152921504606846976n });
    expect(stamp().make({ resourceId: 'r', volume: 0.5 })).toMatchObject({ volume: 0.5 });
    expect(stamp({ meter: float }).make({ resourceId: 'r', volume: 3 })).toMatchObject({ volume: 3 });
    expect(stamp({ meter: float }).make({ resourceId: 'r', volume: 3n })).toMatchObject({ volume: 3 });
  });

  it.each([
    [null, 'a reading that is null, not an object'],
    ['five', 'a reading that is "five", not an object'],
    [{ volume: 1 }, 'resourceId undefined: expected a string that is not empty'],
    [{ resourceId: '', volume: 1 }, 'resourceId "": expected a string that is not empty'],
    [{ resourceId: 'r' }, 'volume undefined of r: expected a finite number or a bigint'],
    [{ resourceId: 'r', volume: Number.NaN }, 'volume NaN of r: expected a finite number or a bigint'],
    [{ resourceId: 'r', volume: '7' }, 'volume "7" of r: expected a finite number or a bigint'],
    [{ resourceId: 'r', volume: 1, metadata: [1] }, 'metadata an array of r: expected an object'],
    [
      { resourceId: 'r', volume: 1, meter: { name: 'x' } },
      'meter an object of r: expected { name, type, unit } of a known type',
    ],
  ])('refuses %j and says why', (reading, fault) => {
    expect(stamp().make(reading as unknown as Reading)).toBe(fault);
  });

  it('refuses a reading without a meter from a pollster that declares none', () => {
    expect(stamp({ meter: undefined }).make({ resourceId: 'r', volume: 1 })).toBe('a reading of r without a meter');
  });
});
