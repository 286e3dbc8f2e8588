import { afterEach, describe, expect, it } from 'vitest';
import { createManager } from '../../src/agent/manager.ts';
import type { LoadedDiscovery, LoadedPollster } from '../../src/agent/registry.ts';
import type { PollingSource } from '../../src/config/polling.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Edge, PollContext, Pollster, Reading, Resource } from '../../src/plugin.ts';
import { isoTimestamp } from '../../src/sample.ts';
import { fakeHost } from '../../src/testing.ts';
import { CollectingOutput } from '../helpers/collecting-output.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';

type Poll = (resources: readonly Resource[], ctx: PollContext) => AsyncIterable<Reading> | Iterable<Reading>;

function* oneEach(resources: readonly Resource[]): Iterable<Reading> {
  for (const { id } of resources) yield { resourceId: id, volume: 1 };
}

const source: PollingSource = {
  name: 'all',
  interval: 300,
  meters: ['*'],
  resources: [],
  discovery: [],
  where: 'polling.yaml:1',
};
const START = 1_700_000_000_000;
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Options {
  readonly polls?: Readonly<Record<string, Poll>>;
  readonly sources?: readonly PollingSource[];
  readonly watch?: (report: (edge: Edge) => void, signal: AbortSignal) => void;
}

/** A manager that polls on the grid, its first cycle done, and a discovery that reports what the test wants. */
async function running({ polls = { one: oneEach }, sources = [source], watch }: Options = {}) {
  const clock = new FakeClock(START);
  const host = fakeHost();
  const output = new CollectingOutput();
  let report: (edge: Edge) => void = () => undefined;
  let watches = 0;
  const discoveries: LoadedDiscovery[] = [
    {
      namespace: 'test',
      name: 'things',
      discovery: {
        group: null,
        discover: async () => [{ id: 'a' }, { id: 'b' }],
        watch(tell, signal) {
          watches += 1;
          report = tell;
          watch?.(tell, signal);
        },
      },
    },
  ];
  const pollsters = Object.entries(polls).map(([name, poll]): LoadedPollster => {
    const made: Pollster = { meters: [{ name, type: 'gauge', unit: '' }], discovery: 'things', poll };
    return { namespace: 'test', name, package: 'test', pollster: made };
  });
  const manager = createManager({
    config: host.config,
    host: { ...host, connections: () => 0, close: async () => {} },
    registry: { pollsters, discoveries, namespaces: ['test'] },
    sources,
    output,
    clock,
  });
  const stop = new AbortController();
  const kill = new AbortController();
  const end = manager.run(stop.signal, kill.signal);
  ends.push(async () => {
    stop.abort();
    kill.abort();
    await end;
  });
  await settle();
  const ofEdges = () => output.samples.filter(({ resourceId }) => resourceId.startsWith('edge'));
  const told = () => host.lines.filter(({ message }) => message !== 'cycle done').map(({ message }) => message);
  return {
    clock,
    output,
    manager,
    end,
    stop,
    ofEdges,
    told,
    lines: host.lines,
    report: (edge: Edge) => report(edge),
    watches: () => watches,
  };
}

const edge = (id: string, key = 'start'): Edge => ({ key, resource: { id } });

describe('an edge', () => {
  it('is polled at once by all pollsters that its discovery feeds, outside of the slots', async () => {
    const { ofEdges, output, report, told } = await running({ polls: { one: oneEach, two: oneEach } });
    const before = output.samples.length;

    report(edge('edge-1'));
    await settle();

    expect(before).toBe(4);
    expect(ofEdges().map(({ name, resourceId }) => [name, resourceId])).toEqual([
      ['one', 'edge-1'],
      ['two', 'edge-1'],
    ]);
    expect(output.reports).toHaveLength(1);
    expect(told()).toEqual(['polled outside of the slots']);
  });

  it('and a slot say of which interval their samples are', async () => {
    const sources = [source, { ...source, name: 'often', interval: 10 }];
    const { output, report } = await running({ sources });
    const ofSlots = new Set(output.intervals);
    const before = output.intervals.length;

    report(edge('edge-1'));
    await settle();

    expect(ofSlots).toEqual(new Set([300, 10]));
    expect(new Set(output.intervals.slice(before))).toEqual(ofSlots);
  });

  it('of something that was read before has the time of the reading', async () => {
    const { clock, ofEdges, report } = await running();
    await clock.pass(20_000);

    report({ ...edge('edge-1'), time: START + 15_000 });
    await settle();

    expect(ofEdges().map(({ timestamp }) => timestamp)).toEqual([isoTimestamp(START + 15_000)]);
  });

  it('of what a source has read in its last cycle is left to the others', async () => {
    const often: PollingSource = { ...source, name: 'often', interval: 10 };
    const { clock, ofEdges, output, report } = await running({ sources: [source, often] });
    await clock.pass(10_000);
    const slot = output.reports.findLast(({ sources: [name] }) => name === 'often')?.startedAt ?? Number.NaN;

    report({ ...edge('edge-1'), time: slot });
    report({ ...edge('edge-2'), time: slot + 1 });
    await settle();

    expect(slot).toBeGreaterThan(START);
    expect(
      ofEdges()
        .map(({ resourceId }) => resourceId)
        .sort(),
    ).toEqual(['edge-1', 'edge-2', 'edge-2']);
  });

  it('gives its samples ids that repeat for the same edge and are no other edge’s and no slot’s', async () => {
    const first = await running();
    const second = await running();
    for (const { report } of [first, second]) {
      report(edge('edge-1', 'start'));
      report(edge('edge-1', 'end'));
      report(edge('a', 'start'));
      await settle();
    }

    const ids = [first, second].map(({ output }) => output.samples.map(({ id }) => id));
    expect(ids[0]).toEqual(ids[1]);
    expect(new Set(ids[0]).size).toBe(5);
  });

  it('is polled for each source that uses the discovery, and for none that names something else', async () => {
    const sources = [
      source,
      { ...source, name: 'often', interval: 10, discovery: ['things://x'] },
      { ...source, name: 'static', interval: 60, resources: ['x'] },
    ];
    const { ofEdges, report } = await running({ sources });

    report(edge('edge-1'));
    await settle();

    expect(ofEdges()).toHaveLength(2);
    expect(new Set(ofEdges().map(({ id }) => id)).size).toBe(2);
  });

  it('brings values along that its pollsters find in the cycle cache', async () => {
    const volume = async (ctx: PollContext) => await ctx.cache.get('value', () => 1);
    const { ofEdges, report } = await running({
      polls: {
        async *one(resources, ctx) {
          for (const { id } of resources) yield { resourceId: id, volume: await volume(ctx) };
        },
      },
    });

    report({ ...edge('edge-1'), known: new Map([['value', 42]]) });
    await settle();

    expect(ofEdges().map((sample) => sample.volume)).toEqual([42n]);
  });

  it('waits for the cycle in hand, and its time stamp is that of the edge', async () => {
    let release = () => {};
    let polls = 0;
    let atOnce = 0;
    let most = 0;
    const { clock, ofEdges, report } = await running({
      polls: {
        async *slow(resources) {
          atOnce += 1;
          most = Math.max(most, atOnce);
          polls += 1;
          if (polls === 1) {
            await new Promise<void>((resolve) => {
              release = resolve;
            });
          }
          yield* oneEach(resources);
          atOnce -= 1;
        },
      },
    });
    report(edge('edge-1'));
    await clock.pass(20_000);
    const meanwhile = ofEdges().length;

    release();
    await settle();

    expect(meanwhile).toBe(0);
    expect(most).toBe(1);
    expect(ofEdges().map(({ timestamp }) => timestamp)).toEqual([isoTimestamp(START)]);
  });

  it('lets a cycle that is due come between it and the next edge', async () => {
    const releases: (() => void)[] = [];
    const order: string[] = [];
    const { clock, report } = await running({
      polls: {
        async *slow(resources) {
          order.push(resources.map(({ id }) => id).join());
          if (order.length > 1) await new Promise<void>((resolve) => releases.push(resolve));
          yield* oneEach(resources);
        },
      },
    });
    for (const id of ['edge-1', 'edge-2']) report(edge(id));
    await clock.pass(300_000);

    for (let turn = 0; turn < 3; turn += 1) {
      releases.shift()?.();
      await settle();
    }

    expect(order).toEqual(['a,b', 'edge-1', 'a,b', 'edge-2']);
  });

  it('costs only itself when a pollster fails, which is told once', async () => {
    const { lines, ofEdges, report, told } = await running({
      polls: {
        good: oneEach,
        bad(resources) {
          if (resources.some(({ id }) => id.startsWith('edge'))) throw new ServiceError('it is gone');
          return oneEach(resources);
        },
      },
    });

    for (const id of ['edge-1', 'edge-2']) report(edge(id));
    await settle();

    expect(ofEdges()).toHaveLength(2);
    expect(told().filter((message) => message === 'polling outside of the slots failed')).toHaveLength(1);
    expect(lines.at(-1)?.fields).toMatchObject({ resource: 'edge-2', failures: 1, samples: 1 });
  });

  it('that comes too often is left out', async () => {
    const { ofEdges, report, told } = await running();

    for (let index = 0; index < 100; index += 1) report(edge('edge-1', `boot ${index}`));
    await settle();

    expect(ofEdges()).toHaveLength(15);
    expect(told()).toContain('resource has too many edges, most of them are not polled');
  });

  it('is finished before the agent ends, and none begins after', async () => {
    const { end, ofEdges, report, stop } = await running();
    report(edge('edge-1'));
    stop.abort();
    report(edge('edge-2'));

    await end;

    expect(ofEdges().map(({ resourceId }) => resourceId)).toEqual(['edge-1']);
  });

  it('is not waited for by a single cycle', async () => {
    const { manager, watches } = await running();

    await manager.once(new AbortController().signal);

    expect(watches()).toBe(1);
  });
});

describe('a discovery that cannot report edges', () => {
  it('is told, and polling goes on', async () => {
    const { output, told } = await running({
      watch() {
        throw new Error('no events');
      },
    });

    expect(told()).toEqual(['discovery cannot report edges']);
    expect(output.samples).toHaveLength(2);
  });
});
