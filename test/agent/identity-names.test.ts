import { describe, expect, it } from 'vitest';
import { withNames } from '../../src/agent/identity-names.ts';
import { createManager } from '../../src/agent/manager.ts';
import type { Pollster } from '../../src/plugin.ts';
import type { Sample } from '../../src/sample.ts';
import { fakeHost } from '../../src/testing.ts';
import { CollectingOutput } from '../helpers/collecting-output.ts';
import { type Answer, inTurn, json } from '../helpers/fake-openstack.ts';
import { cloudWith, sessionOf, signal, testClock } from '../openstack/support.ts';
import { sample } from '../output/samples.ts';

const PROJECT = '/v3/projects/p';
const USER = '/v3/users/u';

async function outputWith(routes: Readonly<Record<string, Answer>>) {
  const cloud = await cloudWith(routes);
  cloud.catalogue = [{ type: 'identity', url: '/v3' }];
  const clock = testClock();
  const host = fakeHost();
  const kept = new CollectingOutput();
  const output = withNames(kept, { session: sessionOf(cloud, {}, clock), clock, log: host.log });
  return { cloud, clock, host, kept, publish: (...samples: Sample[]) => output.publish(samples, signal()) };
}

const names = ({ samples }: CollectingOutput) => samples.map(({ projectName, userName }) => [projectName, userName]);
const of = (changes: Partial<Sample> = {}) => sample({ projectId: 'p', userId: 'u', ...changes });

describe('the names of projects and users', () => {
  it('are asked for once, and go with each sample', async () => {
    const { cloud, kept, publish } = await outputWith({
      [PROJECT]: json({ project: { name: 'alpha' } }),
      [USER]: json({ user: { name: 'ann' } }),
    });

    await publish(of(), of());
    await publish(of());

    expect(names(kept)).toEqual(Array(3).fill(['alpha', 'ann']));
    expect(cloud.asked.map(({ path }) => path).sort()).toEqual([PROJECT, USER]);
  });

  it('stay those that a sample has, and are not asked for where there is no id', async () => {
    const { cloud, kept, publish } = await outputWith({});

    await publish(of({ projectName: 'beta', userId: null }));

    expect(names(kept)).toEqual([['beta', null]]);
    expect(cloud.asked).toEqual([]);
  });

  it('are asked for again after ten minutes, those that are none after one', async () => {
    const { cloud, clock, kept, publish } = await outputWith({
      [PROJECT]: inTurn(json({ project: { name: 'old' } }), json({ project: { name: 'new' } })),
      [USER]: inTurn(json({}, 404), json({ user: { name: 'late' } })),
    });

    for (const seconds of [0, 59, 2, 540]) {
      clock.time += seconds * 1000;
      await publish(of());
    }

    expect(names(kept)).toEqual([
      ['old', null],
      ['old', null],
      ['old', 'late'],
      ['new', 'late'],
    ]);
    expect(cloud.asked).toHaveLength(4);
  });

  it('are missing only where they may not be seen, which is told once', async () => {
    const { clock, host, kept, publish } = await outputWith({
      [USER]: json({}, 403),
      [PROJECT]: json({ project: { name: 'alpha' } }),
    });

    await publish(of());
    clock.time += 61_000;
    await publish(of());

    expect(names(kept)).toEqual([
      ['alpha', null],
      ['alpha', null],
    ]);
    expect(host.lines.map(({ level }) => level)).toEqual(['warn']);
  });

  it('hold no sample back while Keystone fails, which is told once', async () => {
    const failing = inTurn(json({}, 500), json({}, 500), json({ project: { name: 'alpha' } }));
    const { clock, cloud, host, kept, publish } = await outputWith({ [PROJECT]: failing });
    const anonymous = of({ userId: null });

    for (const seconds of [0, 1, 61, 61]) {
      clock.time += seconds * 1000;
      await publish(anonymous);
    }

    expect(names(kept).map(([name]) => name)).toEqual([null, null, null, 'alpha']);
    expect(cloud.asked).toHaveLength(3);
    expect(host.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });
});

describe('an agent', () => {
  it.each([
    [true, 'alpha'],
    [false, null],
  ])('asks for names only where it is told to (%s)', async (identityNameDiscovery, expected) => {
    const cloud = await cloudWith({ [PROJECT]: json({ project: { name: 'alpha' } }) });
    cloud.catalogue = [{ type: 'identity', url: '/v3' }];
    const fake = fakeHost({ options: { polling: { identityNameDiscovery } }, openstack: sessionOf(cloud) });
    const host = { ...fake, connections: () => 0, close: async () => {} };
    const output = new CollectingOutput();
    const pollster: Pollster = {
      meters: [{ name: 'm', type: 'gauge', unit: '' }],
      poll: () => [{ resourceId: 'r', volume: 1, projectId: 'p' }],
    };
    const manager = createManager({
      config: fake.config,
      host,
      registry: {
        pollsters: [{ namespace: 'test', name: 'm', package: 'test', pollster }],
        discoveries: [],
        namespaces: ['test'],
      },
      sources: [{ name: 's', interval: 10, meters: ['*'], resources: ['r'], discovery: [], where: 'polling.yaml:1' }],
      output,
    });

    await manager.once(signal());

    expect(names(output)).toEqual([[expected, null]]);
  });
});
