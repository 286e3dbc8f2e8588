import type { AgentProcess } from '../test/helpers/agent-process.ts';

export interface CycleFigures {
  readonly samples: number;
  /** Milliseconds. */
  readonly wall: number;
}

/** The cycles that a polling agent has told of so far. */
export function cyclesOf(agent: AgentProcess): readonly CycleFigures[] {
  const told = agent.stderr.matchAll(/cycle done: .*samples=(\d+) .*seconds=([\d.]+)/g);
  return Array.from(told, ([, samples, seconds]) => ({ samples: Number(samples), wall: Number(seconds) * 1000 }));
}

/** Waits until the agent has done so many cycles, or has ended. */
export async function reachCycle(agent: AgentProcess, count: number): Promise<void> {
  while (cyclesOf(agent).length < count && agent.child.exitCode === null) {
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
