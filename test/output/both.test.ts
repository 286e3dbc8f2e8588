import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createBoth } from '../../src/output/both.ts';
import { createFinishing } from '../../src/output/finishing.ts';
import type { Output } from '../../src/output/output.ts';

const signal = new AbortController().signal;
const aborted = AbortSignal.abort(new Error('end'));

/** Writes down what it is asked to do. */
function scribe(name: string, told: string[], parts: Partial<Output> = {}): Output {
  return {
    publish: async () => void told.push(`${name} publish`),
    cycleEnded: () => void told.push(`${name} cycle`),
    flush: async () => 0,
    close: async () => void told.push(`${name} close`),
    ...parts,
  };
}

it('gives a batch to the second when the first holds it, and ends both', async () => {
  const told: string[] = [];
  const slow = async () => {
    await sleep(20);
    told.push('first publish');
  };
  const both = createBoth(scribe('first', told, { publish: slow }), scribe('second', told));

  await both.publish([], signal);
  await both.close();

  expect(told).toEqual(['first publish', 'second publish', 'first close', 'second close']);
});

it('does not give the second what the first refuses', async () => {
  const told: string[] = [];
  const refuses = () => Promise.reject(new Error('away'));
  const both = createBoth(scribe('first', told, { publish: refuses }), scribe('second', told));

  await expect(both.publish([], signal)).rejects.toThrow('away');
  expect(told).toEqual([]);
});

it('counts what either has not delivered', async () => {
  const both = createBoth(scribe('a', [], { flush: async () => 2 }), scribe('b', [], { flush: async () => 3 }));

  expect(await both.flush(signal)).toBe(5);
});

it('flushes for its own time, whatever has been aborted', async () => {
  const waits: Output['flush'] = async (given) => {
    await sleep(30);
    return given.aborted ? 1 : 0;
  };

  expect(await createFinishing(scribe('a', [], { flush: waits }), 10_000).flush(aborted)).toBe(0);
  expect(await createFinishing(scribe('a', [], { flush: waits }), 5).flush(aborted)).toBe(1);
});
