import { describe, expect, it } from 'vitest';
import type { AgentHost } from '../../src/agent/host.ts';
import { createManager } from '../../src/agent/manager.ts';
import type { LoadedDiscovery, LoadedPollster } from '../../src/agent/registry.ts';
import type { Overrides } from '../../src/config/load.ts';
import { PermanentPollError, ServiceError } from '../../src/errors.ts';
import type { Pollster, Reading, Resource } from '../../src/plugin.ts';
import { fakeHost } from '../../src/testing.ts';
import { CollectingOutput } from '../helpers/collecting-output.ts';

const source = { name: 'all', interval: 10, meters: ['*'], resources: [], discovery: [], where: 'polling.yaml:1' };

/** An agent whose discovery finds these pages, a resource for each letter. */
function agentOf(
  pages: readonly string[],
  pollsters: readonly LoadedPollster[],
  options: Overrides = {},
  resources: readonly string[] = [],
) {
  const happened: string[] = [];
  const fake = fakeHost({ options });
  const host: AgentHost = { ...fake, connections: () => 0, close: async () => {} };
  const output = new CollectingOutput();
  const discovery: LoadedDiscovery = {
    namespace: 'test',
    name: 'letters',
    discovery: {
      group: null,
      discover: async () => pages.flatMap(resourcesOf),
      async *pages() {
        for (const page of pages) {
          happened.push(`page ${page}`);
          if (page === '!') throw new ServiceError('no answer');
          yield resourcesOf(page);
        }
      },
    },
  };
  const manager = createManager({
    config: fake.config,
    host,
    registry: { pollsters, discoveries: [discovery], namespaces: ['test'] },
    sources: [resources.length === 0 ? source : { ...source, resources, discovery: ['letters'] }],
    output: {
      publish: async (batch) => {
        happened.push(`samples ${batch.map(({ resourceId }) => resourceId).join('')}`);
        await output.publish(batch);
      },
      flush: async () => 0,
      close: async () => {},
    },
  });
  const cycle = async () => (await manager.once(new AbortController().signal))[0];
  return { cycle, happened, manager };
}

function resourcesOf(page: string): Resource[] {
  return [...page].map((id) => ({ id }));
}

function pollster(name: string, changes: Partial<Pollster> = {}): LoadedPollster {
  const made: Pollster = {
    meters: [{ name, type: 'gauge', unit: '' }],
    discovery: 'letters',
    pagewise: true,
    *poll(resources): Iterable<Reading> {
      for (const { id } of resources) yield { resourceId: id, volume: 1 };
    },
    ...changes,
  };
  return { namespace: 'test', name, package: 'test', pollster: made };
}

describe('a pollster that takes pages', () => {
  it('polls each before the next is fetched', async () => {
    const letters = Array.from({ length: 100 }, (_, index) => String.fromCodePoint(0x4e00 + index));
    const [first, second] = [letters.slice(0, 50).join(''), letters.slice(50).join('')];
    const { cycle, happened } = agentOf([first, second], [pollster('one')]);

    const report = await cycle();

    expect(happened).toEqual([`page ${first}`, `samples ${first}`, `page ${second}`, `samples ${second}`]);
    expect(report?.samples).toBe(100);
  });

  it('fills batches over the borders of pages', async () => {
    const { cycle, happened } = agentOf(['ab', 'c'], [pollster('one')]);

    await cycle();

    expect(happened).toEqual(['page ab', 'page c', 'samples abc']);
  });

  it('polls each with others that read them before the next is fetched, also where they may not run side by side', async () => {
    const { cycle, happened } = agentOf(['ab', 'c'], [pollster('one'), pollster('two'), pollster('three')], {
      polling: { batchSize: 1, threadsToProcessPollsters: 1 },
    });

    await cycle();

    const [first, second] = [happened.slice(0, 7), happened.slice(7)];
    expect(first).toEqual(['page ab', ...['a', 'a', 'a', 'b', 'b', 'b'].map((id) => `samples ${id}`)]);
    expect(second).toEqual(['page c', 'samples c', 'samples c', 'samples c']);
  });

  it('shares them with others that need all at once: they are fetched once', async () => {
    const { pagewise: _, ...whole } = pollster('two').pollster;
    const { cycle, happened } = agentOf(['ab', 'c'], [pollster('one'), { ...pollster('two'), pollster: whole }]);

    await cycle();

    expect(happened).toEqual(['page ab', 'page c', 'samples abc', 'samples abc']);
  });

  it('goes on without others that fail, and without one that does not end', async () => {
    const failing = pollster('failing', {
      // biome-ignore lint/correctness/useYield: it fails before.
      *poll(): Iterable<Reading> {
        throw new ServiceError('broken');
      },
    });
    const hung = pollster('hung', { poll: () => new Promise(() => {}) });
    const { cycle, happened } = agentOf(['ab', 'c', 'd'], [hung, pollster('one'), failing], {
      polling: { pollsterTimeout: 1 },
    });

    const report = await cycle();

    expect(happened).toEqual(['page ab', 'page c', 'page d', 'samples abcd']);
    expect(report?.failures.map(({ pollster, message }) => [pollster, message])).toEqual([
      ['failing', 'broken'],
      ['hung', 'pollster hung not done after 1 s'],
    ]);
  });

  it('polls what is in two pages, or named by the source as well, once', async () => {
    const { cycle, happened, manager } = agentOf(['ab', 'bc', 'd'], [pollster('one')], {}, ['d', 'e']);

    await cycle();

    expect(happened.at(-1)).toBe('samples deabc');
    expect(manager.tasks()[0]?.pollsters[0]?.resources).toBe(5);
  });

  it('keeps the samples of the pages before one that cannot be had, and tells of the failure', async () => {
    const { cycle, happened } = agentOf(['ab', '!', 'c'], [pollster('one')]);

    const report = await cycle();

    expect(happened).toEqual(['page ab', 'page !', 'samples ab']);
    expect(report?.failures.map(({ message }) => message)).toEqual(['discovery letters failed: no answer']);
  });

  it('goes on after a page with what is not supported, which it leaves out from then on', async () => {
    const asked: string[] = [];
    const refusing = pollster('one', {
      *poll(resources): Iterable<Reading> {
        asked.push(resources.map(({ id }) => id).join(''));
        if (resources.some(({ id }) => id === 'a')) throw new PermanentPollError('no a', ['a']);
        for (const { id } of resources) yield { resourceId: id, volume: 1 };
      },
    });
    const { cycle, happened, manager } = agentOf(['ab', 'c'], [refusing]);

    const first = await cycle();
    await cycle();

    expect(asked).toEqual(['ab', 'c', 'b', 'c']);
    expect(first?.failures).toEqual([]);
    expect(happened).toEqual(['page ab', 'page c', 'samples c', 'page ab', 'page c', 'samples bc']);
    expect(manager.tasks()[0]?.pollsters[0]?.polls).toMatchObject({ unsupported: 1, success: 1 });
  });

  it('is given all at once where it does not take pages', async () => {
    const { pagewise: _, ...whole } = pollster('one').pollster;
    const { cycle, happened } = agentOf(['ab', 'c'], [{ ...pollster('one'), pollster: whole }]);

    await cycle();

    expect(happened).toEqual(['page ab', 'page c', 'samples abc']);
  });
});
