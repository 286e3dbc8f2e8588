import { describe, expect, it } from 'vitest';
import { CounterMemory, type History } from '../../../src/pollsters/compute/counter-memory.ts';
import compute from '../../../src/pollsters/compute/index.ts';
import { monotonicSeconds } from '../../../src/sample.ts';
import { fakeHost } from '../../../src/testing.ts';
import { jsonPieces } from '../../../src/util/json-pieces.ts';
import { domainOf, statsOf } from './domains.ts';
import { cycle, fakeHypervisor, hostOf, load } from './support.ts';

type States = Map<string, () => unknown>;

/** What a file would have. */
function textOf(snapshot: (() => unknown) | undefined): string {
  return [...jsonPieces(snapshot?.())].join('');
}

/** What a file would give back. */
function restarted(states: States): States {
  return new Map(Array.from(states, ([name, snapshot]) => [name, () => JSON.parse(textOf(snapshot)) as unknown]));
}

async function memoryOf(states: States, boot: string | undefined = 'boot-1') {
  const memory = new CounterMemory(fakeHost({ states }).state('m'), async () => boot);
  await memory.ready();
  const of = (source: string, id: string, meter = 'm'): History => memory.of({ meter, source, maxAge: 100 }, id);
  return { memory, of, save: () => memory.save() };
}

const now = monotonicSeconds();
const counter = (value: bigint, at = now, life = '7') => ({ value, at, life });

describe('the memory of counters', () => {
  it('is exact after a restart, by source, instance and part', async () => {
    const states: States = new Map();
    const before = await memoryOf(states);
    const places = [
      ['s', 'a', 'p'],
      ['s', 'a', '__proto__'],
      ['s', 'b', 'p'],
      ['other', 'a', 'p'],
      ['s', 'a', 'p', 'other'],
    ] as const;
    for (const [index, [source, id, part, meter]] of places.entries()) {
      before.of(source, id, meter).swap(part, counter(2n ** 64n - BigInt(index) - 1n));
    }
    before.save();

    const after = await memoryOf(restarted(states));

    const values = places.map(([source, id, part, meter]) =>
      after.of(source, id, meter).swap(part, counter(0n, now + 1)),
    );
    expect(values).toEqual(places.map((_, index) => counter(2n ** 64n - BigInt(index) - 1n)));
  });

  it('tells a value that comes late that nothing has come since, and keeps the newer one', async () => {
    const history = (await memoryOf(new Map())).of('s', 'a');
    const [early, late] = [counter(10n, now), counter(30n, now + 5)];
    history.swap('p', late);

    expect(history.swap('p', early)).toEqual(early);
    expect(history.swap('p', counter(40n, now + 9))).toEqual(late);
  });

  it('takes counters of before a start of the machine for those of another life', async () => {
    const states: States = new Map();
    const before = await memoryOf(states);
    before.of('s', 'a').swap('p', counter(5n));
    before.save();

    const after = await memoryOf(restarted(states), 'boot-2');

    const found = after.of('s', 'a').swap('p', counter(9n, 3));
    expect(found?.value).toBe(5n);
    expect(found?.life).not.toBe('7');
  });

  it('lets go of what is too old', async () => {
    const states: States = new Map();
    const before = await memoryOf(states);
    before.of('s', 'a').swap('ancient', counter(4n, now - 8 * 24 * 3600));
    before.of('s', 'a').swap('old', counter(5n, now - 101));
    before.of('s', 'a').swap('new', counter(6n, now - 90));
    before.save();

    const later = restarted(states);
    const after = await memoryOf(later);
    after.save();
    const kept = textOf(later.get('m'));
    const history = after.of('s', 'a');

    expect(kept).toContain('new');
    expect(kept).not.toContain('ancient');
    expect(history.swap('old', counter(9n))).toBeUndefined();
    expect(history.swap('new', counter(9n))?.value).toBe(6n);
  });

  it('keeps nothing where starts of the machine cannot be told apart', async () => {
    const states: States = new Map();
    const before = new CounterMemory(fakeHost({ states }).state('m'), async () => undefined);
    await before.ready();
    before.of({ meter: 'm', source: 's', maxAge: 100 }, 'a').swap('p', counter(5n));
    before.save();

    const after = await memoryOf(restarted(states));

    expect(after.of('s', 'a').swap('p', counter(9n))).toBeUndefined();
  });

  it.each([
    ['nothing', null],
    ['a text', 'counters'],
    ['another version', { version: 2, boot: 'boot-1', savedAt: Date.now(), meters: [] }],
    [
      'a value that is no integer',
      { version: 1, boot: 'boot-1', savedAt: Date.now(), meters: [['m', [['s', [['a', [['p', '1.5', 1, '7']]]]]]]] },
    ],
    [
      'a value that is a number',
      { version: 1, boot: 'boot-1', savedAt: Date.now(), meters: [['m', [['s', [['a', [['p', 5, 1, '7']]]]]]]] },
    ],
  ])('starts afresh where the state is %s', async (_, kept) => {
    const memory = await memoryOf(new Map([['m', () => kept]]));

    expect(memory.of('s', 'a').swap('p', counter(9n))).toBeUndefined();
  });
});

describe('after a restart of the agent', () => {
  const METERS = ['network.incoming.bytes.delta', 'cpu_util'];

  async function agent(states: States) {
    const hypervisor = fakeHypervisor();
    const host = hostOf(hypervisor, {}, states);
    const plugin = await load(compute, host);
    async function poll(rxBytes: bigint, busy: number, { id = 1, at = 100 } = {}) {
      const vcpus = [{ time: BigInt(busy * 1e9), wait: 0n }];
      hypervisor.domains = [domainOf({ id })];
      hypervisor.stats.set(
        'uuid-1',
        statsOf({ nics: [{ name: 'tap1', rxBytes }], vcpus, vcpuCurrent: 1, vcpuMaximum: 1, monotonicTime: now + at }),
      );
      return (await plugin.poll(cycle(host), METERS)).map(({ volume }) => volume);
    }
    return { poll, states, host };
  }

  it('deltas and rates go on, over the time without the agent', async () => {
    const first = await agent(new Map());
    await first.poll(1000n, 50, { at: -30 });

    const second = await agent(restarted(first.states));

    expect(await second.poll(1700n, 55, { at: -20 })).toEqual([700n, 50]);
    expect(await second.poll(1701n, 55, { at: -10 })).toEqual([1n, 0]);
  });

  it('an instance that was started anew meanwhile has a new life, also where its counters are past the old ones', async () => {
    const first = await agent(new Map());
    await first.poll(1000n, 50, { at: -30 });

    const second = await agent(restarted(first.states));

    expect(await second.poll(5000n, 60, { id: 2, at: -20 })).toEqual([5000n]);
  });

  it('a counter that went back has a new life', async () => {
    const first = await agent(new Map());
    await first.poll(1000n, 50, { at: -30 });

    const second = await agent(restarted(first.states));

    expect(await second.poll(10n, 1, { at: -20 })).toEqual([10n]);
  });

  it('a rate is not worked out over more than two hours, a delta is', async () => {
    const first = await agent(new Map());
    await first.poll(1000n, 50, { at: -7300 });

    const second = await agent(restarted(first.states));

    expect(await second.poll(1700n, 55, { at: -20 })).toEqual([700n]);
  });

  it('an instance that has left the host is not kept', async () => {
    const first = await agent(new Map());
    await first.poll(1000n, 50, { at: -30 });
    const kept = () => textOf(first.states.get('compute.counters'));
    const before = kept();

    const other = fakeHypervisor();
    first.host.inspector().domains = async () => [domainOf({ uuid: 'other' }), ...other.domains];
    await first.poll(1000n, 50, { at: -20 });

    expect(before).toContain('uuid-1');
    expect(kept()).not.toContain('uuid-1');
  });
});
