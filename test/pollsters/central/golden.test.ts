import { beforeAll, describe, expect, it } from 'vitest';
import type { Sample } from '../../../src/sample.ts';
import { type Agent, agentOf, type GoldenSample, golden, recordedCloud } from './support.ts';

/** The pollster of a meter of another name. */
const POLLSTER: Readonly<Record<string, string>> = { 'radosgw.api.request': 'radosgw.usage' };

const meters = [...new Set(golden.map(({ counter_name }) => counter_name))].sort();

let agent: Agent;
const polled = new Map<string, readonly Sample[]>();

/** Line by line, in an order of its own: services list as they like. */
function linesOf(samples: readonly object[]): string[] {
  return samples.map((sample) => JSON.stringify(sample, sorted)).sort();
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function wire(sample: Sample): object {
  return {
    counter_name: sample.name,
    counter_type: sample.type,
    counter_unit: sample.unit,
    counter_volume: sample.volume,
    user_id: sample.userId,
    user_name: sample.userName,
    project_id: sample.projectId,
    project_name: sample.projectName,
    resource_id: sample.resourceId,
    resource_metadata: sample.metadata,
    source: sample.source,
  };
}

/** Where this is on purpose not what upstream sends: docs/upstream-differences.md. */
function expected(sample: GoldenSample): readonly GoldenSample[] {
  if (typeof sample.counter_volume !== 'number') return [];
  if (!('psk' in sample.resource_metadata)) return [sample];
  return [{ ...sample, resource_metadata: { ...sample.resource_metadata, psk: '***' } }];
}

beforeAll(async () => {
  // The session ends with the test that made it: all is polled first.
  const cloud = await recordedCloud();
  agent = await agentOf(cloud, {
    serviceTypes: { radosgw: 'rgw' },
    rgwAdminCredentials: { accessKey: 'AK', secretKey: 'SK' },
  });
  const ctx = agent.cycle();
  for (const { name } of agent.registry.pollsters) polled.set(name, await agent.poll(name, ctx));
});

describe('a recorded cloud', () => {
  it.each(meters)('is told of as upstream tells of it: %s', (meter) => {
    const samples = polled.get(POLLSTER[meter] ?? meter) ?? [];

    const wanted = golden.filter(({ counter_name }) => counter_name === meter).flatMap(expected);
    expect(linesOf(samples.map(wire))).toEqual(linesOf(wanted));
    expect(wanted.length).toBeGreaterThan(0);
  });

  it('leaves out only values that are none', () => {
    const left = golden.filter((sample) => expected(sample).length === 0);

    expect(left.map((sample) => [sample.counter_name, sample.counter_volume])).toEqual(
      expect.arrayContaining([
        ['image.size', null],
        ['volume.provider.pool.capacity.total', 'infinite'],
        ['volume.provider.pool.capacity.free', 'unknown'],
      ]),
    );
    expect(left).toHaveLength(3);
  });

  it('is asked with one token, and about each thing once', () => {
    const asked = agent.cloud.asked.map(({ method, path }) => `${method} ${path}`);

    expect(agent.cloud.logins).toHaveLength(1);
    expect(asked.filter((one, at) => asked.indexOf(one) !== at)).toEqual([]);
  });
});
