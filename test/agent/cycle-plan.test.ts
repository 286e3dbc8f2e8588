import { describe, expect, it } from 'vitest';
import { type PlannedRun, planCycle } from '../../src/agent/cycle-plan.ts';

const source = (name: string) => ({
  name,
  interval: 10,
  meters: ['*'],
  resources: [],
  discovery: [],
  where: 'polling.yaml:1',
});
const [first, second] = [source('first'), source('second')];

function run(listings: readonly string[], together?: string, of = first): PlannedRun {
  return { source: of, listings, together };
}

/** The parts, each run by its place. */
function partsOf(runs: readonly (PlannedRun | undefined)[]): readonly (readonly number[])[] {
  const plan = planCycle(runs.filter((one) => one !== undefined));
  return plan.parts([...runs.keys()], (at) => runs[at]);
}

describe('the plan of a cycle', () => {
  it('puts runs into one part that read the same, also by way of others', () => {
    expect(partsOf([run(['a']), run(['b']), run([]), run(['b', 'c']), run(['a', 'c']), run(['d'])])).toEqual([
      [0, 1, 3, 4],
      [2],
      [5],
    ]);
  });

  it('puts pollsters of one source into one part that read together, not those of others', () => {
    expect(partsOf([run([], 'x'), run([], 'x', second), run([], 'y'), run([], 'x'), run([])])).toEqual([
      [0, 3],
      [1],
      [2],
      [4],
    ]);
  });

  it('has a part for a run that does nothing this time', () => {
    expect(partsOf([undefined, run(['a']), undefined])).toEqual([[0], [1], [2]]);
  });

  it('counts who reads what', () => {
    const plan = planCycle([run(['a', 'b'], 'x'), run(['a'], 'x'), run(['a'], 'x', second), run([])]);

    expect(['a', 'b', 'c'].map(plan.pageReaders)).toEqual([3, 1, 0]);
    expect([run([], 'x'), run([], 'x', second), run([])].map(plan.readers)).toEqual([2, 1, 1]);
  });
});
