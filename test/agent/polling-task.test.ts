import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { AgentHost } from '../../src/agent/host.ts';
import { createManager } from '../../src/agent/manager.ts';
import type { LoadedDiscovery, LoadedPollster } from '../../src/agent/registry.ts';
import type { Overrides } from '../../src/config/load.ts';
import type { PollingSource } from '../../src/config/polling.ts';
import { markLogged, NoDataError, PermanentPollError, ServiceError } from '../../src/errors.ts';
import type { Discovery, PollContext, Pollster, Reading, Readings, Resource } from '../../src/plugin.ts';
import { fakeHost } from '../../src/testing.ts';
import { CollectingOutput } from '../helpers/collecting-output.ts';

const source: PollingSource = {
  name: 'all',
  interval: 10,
  meters: ['*'],
  resources: [],
  discovery: [],
  where: 'polling.yaml:1',
};

type Poll = (resources: readonly Resource[], ctx: PollContext) => Readings;

function pollster(name: string, poll: Poll, discovery = 'things'): LoadedPollster {
  const made: Pollster = { meters: [{ name, type: 'gauge', unit: '' }], discovery, poll };
  return { namespace: 'test', name, package: 'test', pollster: made };
}

function shared(loaded: LoadedPollster): LoadedPollster {
  return { ...loaded, pollster: { ...loaded.pollster, shared: true } };
}

function discovery(name: string, discover: Discovery['discover']): LoadedDiscovery {
  return { namespace: 'test', name, discovery: { group: null, discover } };
}

const things = discovery('things', async () => [{ id: 'a' }, { id: 'b' }]);

function* oneEach(resources: readonly Resource[]): Iterable<Reading> {
  for (const { id } of resources) yield { resourceId: id, volume: 1 };
}

/** Runs cycles of a manager over these pollsters. */
function agent(
  pollsters: readonly LoadedPollster[],
  options: {
    readonly sources?: readonly PollingSource[];
    readonly discoveries?: readonly LoadedDiscovery[];
    readonly options?: Overrides;
    readonly heartbeat?: (pollster: string) => void;
  } = {},
) {
  const fake = fakeHost({ options: options.options ?? {} });
  let connections = 0;
  const host: AgentHost = { ...fake, connections: () => connections, close: async () => {} };
  const output = new CollectingOutput();
  const manager = createManager({
    config: fake.config,
    host,
    registry: { pollsters, discoveries: options.discoveries ?? [things], namespaces: ['test'] },
    sources: options.sources ?? [source],
    output,
    ...(options.heartbeat && { heartbeat: options.heartbeat }),
  });
  const cycle = () => manager.once(new AbortController().signal);
  return { manager, cycle, output, lines: fake.lines, reconnect: () => connections++ };
}

describe('a polling cycle', () => {
  it('polls what the discovery finds and hands over samples that carry meter, source and slot id', async () => {
    const { cycle, output } = agent([pollster('one', oneEach)]);

    const [report] = await cycle();

    expect(output.samples.map(({ name, resourceId }) => [name, resourceId])).toEqual([
      ['one', 'a'],
      ['one', 'b'],
    ]);
    expect(report).toMatchObject({ samples: 2, pollsters: 1, failures: [], interval: 10, sources: ['all'] });
  });

  it('asks each discovery once a cycle, whoever needs it, and again in the next', async () => {
    let calls = 0;
    const counted = discovery('things', async () => {
      calls += 1;
      return [{ id: 'a' }];
    });
    const { cycle } = agent([pollster('one', oneEach), pollster('two', oneEach)], { discoveries: [counted] });

    await cycle();
    const afterFirst = calls;
    await cycle();

    expect([afterFirst, calls]).toEqual([1, 2]);
  });

  it('hands the parameter of a discovery over, and shares values of the cycle cache', async () => {
    const parameters: (string | undefined)[] = [];
    let loads = 0;
    const noting = discovery('things', async (parameter) => {
      parameters.push(parameter);
      return [{ id: 'a' }];
    });
    async function* cached(resources: readonly Resource[], ctx: PollContext): AsyncIterable<Reading> {
      const volume = await ctx.cache.get('value', async () => {
        loads += 1;
        return 7;
      });
      for (const { id } of resources) yield { resourceId: id, volume };
    }
    const { cycle, output } = agent(
      [pollster('one', cached, 'things://image'), pollster('two', cached, 'things://image')],
      { discoveries: [noting] },
    );

    await cycle();

    expect(parameters).toEqual(['image']);
    expect(loads).toBe(1);
    expect(output.samples.map(({ volume }) => volume)).toEqual([7n, 7n]);
  });

  it('polls static resources instead of the pollster’s own discovery, and a resource named twice once', async () => {
    const named: PollingSource = { ...source, resources: ['x', 'y', 'x'] };
    const { cycle, output } = agent([pollster('one', oneEach)], { sources: [named] });

    await cycle();

    expect(output.samples.map(({ resourceId }) => resourceId)).toEqual(['x', 'y']);
  });

  it('polls a resource once for a meter, whichever sources of the interval name it', async () => {
    const { cycle, output } = agent([pollster('one', oneEach)], { sources: [source, { ...source, name: 'more' }] });

    await cycle();

    expect(output.samples).toHaveLength(2);
  });

  it('cuts a meter’s samples into batches, and hands over single ones when batch_size is 0', async () => {
    const poll = () => Array.from({ length: 7 }, (_, index) => ({ resourceId: `r${index}`, volume: index }));
    const three = agent([pollster('one', poll)], { options: { polling: { batchSize: 3 } } });
    const single = agent([pollster('one', poll)], { options: { polling: { batchSize: 0 } } });

    await three.cycle();
    await single.cycle();

    expect(three.output.batches.map((batch) => batch.length)).toEqual([3, 3, 1]);
    expect(single.output.batches.map((batch) => batch.length)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it('fills batches over all that a poll yields at a time', async () => {
    const some = (...ids: readonly string[]) => ids.map((resourceId) => ({ resourceId, volume: 1 }));
    const bitByBit: Poll = async function* () {
      yield some('a', 'b', 'c');
      yield { resourceId: 'd', volume: 1 };
      yield [];
      yield some('e', 'f', 'g');
    };
    const { cycle, output } = agent([pollster('one', bitByBit)], { options: { polling: { batchSize: 2 } } });

    await cycle();

    const ids = output.batches.map((batch) => batch.map(({ resourceId }) => resourceId).join(''));
    expect(ids).toEqual(['ab', 'cd', 'ef', 'g']);
  });

  it('hands over the very first that a meter yields at once, and fills batches from then on', async () => {
    const some = (...ids: readonly string[]) => ids.map((resourceId) => ({ resourceId, volume: 1 }));
    const before: number[] = [];
    const bitByBit: Poll = async function* () {
      yield some('a');
      before.push(output.batches.length);
      yield some('b');
      before.push(output.batches.length);
      yield some('c');
    };
    const { cycle, output } = agent([pollster('one', bitByBit)]);

    await cycle();
    await cycle();

    expect(before).toEqual([1, 1, 2, 2]);
    const ids = output.batches.map((batch) => batch.map(({ resourceId }) => resourceId).join(''));
    expect(ids).toEqual(['a', 'bc', 'abc']);
  });

  it('beats only for pollsters that succeeded', async () => {
    const beats: string[] = [];
    const broken = pollster('broken', () => {
      throw new ServiceError('away');
    });
    const { cycle } = agent([pollster('one', oneEach), broken], { heartbeat: (name) => beats.push(name) });

    await cycle();

    expect(beats).toEqual(['one']);
  });
});

describe('a pollster that fails', () => {
  it('costs only itself, and what it yielded before counts', async () => {
    function* breaks(): Iterable<Reading> {
      yield { resourceId: 'kept', volume: 1 };
      throw new ServiceError('the device went away');
    }
    const { cycle, output } = agent([pollster('bad', breaks), pollster('good', oneEach)]);

    const [report] = await cycle();

    expect(output.samples.map(({ resourceId }) => resourceId).sort()).toEqual(['a', 'b', 'kept']);
    expect(report?.failures).toEqual([{ source: 'all', pollster: 'bad', message: 'the device went away' }]);
  });

  it('is logged when it begins to fail and when it ends to, not every cycle', async () => {
    let broken = true;
    const { cycle, lines } = agent([
      pollster('bad', (resources) => {
        if (broken) throw new ServiceError('away');
        return oneEach(resources);
      }),
    ]);

    await cycle();
    await cycle();
    broken = false;
    await cycle();

    const told = lines.filter(({ message }) => message !== 'cycle done').map(({ level, message }) => [level, message]);
    expect(told).toEqual([
      ['error', 'polling failed'],
      ['info', 'polling does not fail this way any more'],
    ]);
  });

  it('is not logged where its driver has logged what is wrong, and is in the report all the same', async () => {
    const { cycle, lines } = agent([
      pollster('bad', () => {
        const away = new ServiceError('away');
        markLogged(away);
        throw new ServiceError('nothing to poll', { cause: away });
      }),
    ]);

    const [report] = await cycle();

    expect(report?.failures).toEqual([{ source: 'all', pollster: 'bad', message: 'nothing to poll: away' }]);
    expect(lines.map(({ message }) => message)).toEqual(['cycle done']);
  });

  it('shows the stack only of errors that nobody expected', async () => {
    const { cycle, lines } = agent([
      pollster('bug', () => {
        throw new TypeError('x is not a function');
      }),
      pollster('away', () => {
        throw new ServiceError('away');
      }),
      pollster('no-file', async function* () {
        yield { resourceId: 'r', volume: Number(await readFile('/nonexistent/sensor')) };
      }),
      pollster('no-server', () => {
        const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
        throw new TypeError('fetch failed', { cause });
      }),
    ]);

    await cycle();

    const withStack = lines.filter(({ fields }) => 'err' in fields).map(({ fields }) => fields);
    expect(withStack).toEqual([expect.objectContaining({ first: 'bug' })]);
  });

  it('that never returns is let go of at its deadline, holds up nobody, and is not begun again meanwhile', async () => {
    let begun = 0;
    const hangs = pollster('hangs', async function* () {
      begun += 1;
      await new Promise(() => {});
      yield { resourceId: 'never', volume: 1 };
    });
    const { cycle, output } = agent([hangs, pollster('good', oneEach)], {
      options: { polling: { pollsterTimeout: 0.2 } },
    });

    const [first] = await cycle();
    const [second] = await cycle();

    expect(first?.failures).toEqual([
      { source: 'all', pollster: 'hangs', message: 'pollster hangs not done after 0.2 s' },
    ]);
    expect(second?.failures[0]?.message).toBe('skipped, its poll of an earlier cycle has not ended');
    expect(begun).toBe(1);
    expect(output.samples).toHaveLength(4);
  });

  it('keeps what it has yielded before its deadline', async () => {
    const slow = pollster('slow', async function* () {
      yield { resourceId: 'a', volume: 1 };
      yield { resourceId: 'b', volume: 1 };
      await new Promise(() => {});
    });
    const { cycle, output } = agent([slow], { options: { polling: { pollsterTimeout: 0.2 } } });

    const [report] = await cycle();

    expect(output.samples.map(({ resourceId }) => resourceId)).toEqual(['a', 'b']);
    expect(report).toMatchObject({ samples: 2, failures: [{ message: 'pollster slow not done after 0.2 s' }] });
  });

  it('and yields late has its late readings left out of later cycles', async () => {
    let release = () => {};
    const late = pollster('late', async function* () {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield { resourceId: 'late', volume: 1 };
    });
    const { cycle, output } = agent([late], { options: { polling: { pollsterTimeout: 0.1 } } });

    await cycle();
    release();
    await new Promise((resolve) => setImmediate(resolve));

    expect(output.samples).toEqual([]);
  });

  it('and yields nonsense loses the nonsense, keeps the rest and is called failed', async () => {
    const mixed = pollster('mixed', () => [
      { resourceId: 'good', volume: 1 },
      { resourceId: 'bad', volume: Number.NaN },
      null as unknown as Reading,
    ]);
    const { cycle, output } = agent([mixed]);

    const [report] = await cycle();

    expect(output.samples.map(({ resourceId }) => resourceId)).toEqual(['good']);
    expect(report?.failures[0]?.message).toBe(
      'dropped 2 readings, first: volume NaN of bad: expected a finite number or a bigint',
    );
  });

  it('and returns something else than readings is told so', async () => {
    const { cycle } = agent([pollster('odd', () => undefined as unknown as Iterable<Reading>)]);

    const [report] = await cycle();

    expect(report?.failures[0]?.message).toBe('poll returned undefined, expected readings to iterate over');
  });

  it('for want of data has not failed', async () => {
    const { cycle } = agent([
      pollster('quiet', () => {
        throw new NoDataError('nothing yet');
      }),
    ]);

    const [report] = await cycle();

    expect(report?.failures).toEqual([]);
  });

  it('permanently is told once for each reason, whatever resources come later', async () => {
    let wrong = 'a';
    const unsupported = pollster('perf', (resources) => {
      if (resources.some(({ id }) => id === wrong)) throw new PermanentPollError('no counters', [wrong]);
      return oneEach(resources);
    });
    const { cycle, lines, reconnect } = agent([unsupported]);
    const told = () =>
      lines.filter(({ message }) => message === 'not supported here, left out').map((one) => one.level);

    await cycle();
    wrong = 'b';
    await cycle();
    expect(told()).toEqual(['info', 'debug']);
    reconnect();
    await cycle();

    expect(told()).toEqual(['info', 'debug', 'info']);
  });

  it('permanently for a resource leaves it out until the driver has connected again', async () => {
    const asked: string[][] = [];
    const unsupported = pollster('perf', (resources) => {
      asked.push(resources.map(({ id }) => id));
      if (resources.some(({ id }) => id === 'a')) throw new PermanentPollError('no counters', ['a']);
      return oneEach(resources);
    });
    const { cycle, reconnect } = agent([unsupported]);

    const [report] = await cycle();
    await cycle();
    reconnect();
    await cycle();

    expect(report?.failures).toEqual([]);
    expect(asked).toEqual([['a', 'b'], ['b'], ['a', 'b']]);
  });
});

describe('a discovery that fails', () => {
  it('fails its pollsters with one log line for all, and is not an empty list', async () => {
    const away = discovery('things', async () => {
      throw new ServiceError('libvirt does not answer');
    });
    const { cycle, lines } = agent([pollster('one', oneEach), pollster('two', oneEach)], { discoveries: [away] });

    const [report] = await cycle();

    expect(report?.failures.map(({ message }) => message)).toEqual([
      'discovery things failed: libvirt does not answer',
      'discovery things failed: libvirt does not answer',
    ]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ pollsters: 2 }) }),
    ]);
  });

  it('by being unknown names itself', async () => {
    const { cycle } = agent([pollster('one', oneEach, 'nowhere://x')]);

    const [report] = await cycle();

    expect(report?.failures[0]?.message).toBe('discovery nowhere is not known in the polled namespaces');
  });
});

describe('createManager', () => {
  it('makes one task of the sources of one interval', async () => {
    const sources = [source, { ...source, name: 'slow', interval: 60 }, { ...source, name: 'other' }];
    const { cycle } = agent([pollster('one', oneEach)], { sources });

    const reports = await cycle();

    expect(reports.map(({ interval, sources: names }) => [interval, names])).toEqual([
      [10, ['all', 'other']],
      [60, ['slow']],
    ]);
  });

  it('warns of a meter name that matches no pollster, here or in another namespace, and names the nearest', () => {
    const { lines } = agent([pollster('disk.root.size', oneEach), pollster('cpu', oneEach)], {
      sources: [{ ...source, meters: ['cpu', 'disk.rot.size', 'volume.size'] }],
    });

    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ meters: 'disk.rot.size', nearest: 'disk.root.size' }),
      }),
    ]);
  });

  it('refuses to run when no source selects a pollster', () => {
    expect(() => agent([pollster('cpu', oneEach)], { sources: [{ ...source, meters: ['gpu*'] }] })).toThrow(
      'no polling source selects any of the loaded pollsters (cpu)',
    );
  });

  it('never has more pollsters at work than there are lanes', async () => {
    let working = 0;
    let most = 0;
    const slow: Poll = async function* () {
      working += 1;
      most = Math.max(most, working);
      await new Promise((resolve) => setTimeout(resolve, 5));
      working -= 1;
      yield { resourceId: 'r', volume: 1 };
    };
    const pollsters = Array.from({ length: 9 }, (_, index) => pollster(`p${index}`, slow));
    const { cycle } = agent(pollsters, { options: { polling: { threadsToProcessPollsters: 3 } } });

    await cycle();

    expect(most).toBe(3);
  });

  it('has all pollsters wait side by side that wait for one and the same thing, however few lanes there are', async () => {
    let waiting = 0;
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const patient: Poll = async function* () {
      waiting += 1;
      if (waiting === 9) begin();
      await begun;
      yield { resourceId: 'r', volume: 1 };
    };
    const pollsters = Array.from({ length: 9 }, (_, index) => shared(pollster(`p${index}`, patient)));
    const { cycle } = agent(pollsters, { options: { polling: { threadsToProcessPollsters: 1 } } });

    const [report] = await cycle();

    expect(report).toMatchObject({ samples: 9, failures: [] });
  });
});
