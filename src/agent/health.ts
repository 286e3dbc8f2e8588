import type { Observed } from './observation.ts';

/** Cycles may be this many intervals apart. */
const PATIENCE = 2;

/** A line for each thing that keeps the agent from its work; a pollster that fails is not one. */
export function healthFaults({ delivery, tasks }: Observed): readonly string[] {
  const faults: string[] = [];
  for (const { counts, pollsters, sinceCycle } of tasks()) {
    if (sinceCycle <= PATIENCE * counts.interval * 1000) continue;
    const sources = [...new Set(pollsters.map(({ source }) => source))].join(', ');
    const seconds = Math.round(sinceCycle / 1000);
    faults.push(`no cycle of ${sources} has ended for ${seconds} s, its interval is ${counts.interval} s`);
  }
  if (delivery?.connected === false) faults.push('not connected to the message broker');
  if (delivery?.blocked === true) faults.push('the message broker takes no messages for now');
  return faults;
}
