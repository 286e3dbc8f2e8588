import type { SampleRecord } from '../../src/collector/record.ts';

/** 2026-11-24T12:00:00 */
export const NOON = Date.UTC(2026, 10, 24, 12) * 1000;
export const SECOND = 1_000_000;
export const HOUR = 3600 * SECOND;
export const DAY = 24 * HOUR;

let made = 0;

/** A sample with an id of its own. */
export function record(parts: Partial<SampleRecord> = {}): SampleRecord {
  made += 1;
  return {
    id: `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`,
    meter: 'cpu',
    type: 'cumulative',
    unit: 'ns',
    volume: 1n,
    resourceId: 'r1',
    projectId: 'p1',
    projectName: null,
    userId: 'u1',
    userName: null,
    source: 'openstack',
    time: NOON,
    metadata: '{"host": "h1"}',
    ...parts,
  };
}
