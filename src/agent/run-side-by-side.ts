import { forEachLimit } from '../util/map-limit.ts';
import { planCycle } from './cycle-plan.ts';
import type { Cycle, PollsterRun, RunResult } from './pollster-run.ts';

export type RunResults = ReadonlyMap<PollsterRun, RunResult>;

/**
 * Runs pollsters side by side, as many at a time as there are lanes; 0 runs all at once. Those that share pages take
 * one lane together, and those that wait for one and the same thing none. Never rejects.
 */
export async function runSideBySide(
  runs: readonly PollsterRun[],
  lanes: number,
  rest: Omit<Cycle, 'plan'>,
): Promise<RunResults> {
  const planned = new Map(runs.map((run) => [run, run.planned(rest.share)]));
  const plan = planCycle([...planned.values()].filter((one) => one !== undefined));
  const cycle: Cycle = { ...rest, plan };
  const results = new Map<PollsterRun, RunResult>();
  const begin = async (run: PollsterRun) => {
    results.set(run, await run.run(cycle));
  };
  const shared = runs.filter((run) => run.isShared);
  const parts = plan.parts(
    runs.filter((run) => !run.isShared),
    (run) => planned.get(run),
  );
  await Promise.all([
    ...shared.map(begin),
    forEachLimit(parts, lanes === 0 ? parts.length : lanes, async (part) => {
      await Promise.all(part.map(begin));
    }),
  ]);
  return results;
}

export function samplesOf(results: RunResults): number {
  return [...results.values()].reduce((sum, { samples }) => sum + samples, 0);
}
