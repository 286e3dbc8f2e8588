/** What a V8 CPU profile says about which part of the agent the time went to. */
import { readFileSync } from 'node:fs';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Files by the step that they are part of; the first that matches counts. */
const STEPS: readonly (readonly [step: string, files: RegExp])[] = [
  ['decode', /dist\/libvirt\//],
  ['sign', /dist\/wire\/(signature|python-repr)/],
  ['serialise', /dist\/(wire\/|messaging\/(sample-messages|envelope))/],
  ['publish', /dist\/(messaging|output)\/|node_modules\/amqplib/],
  ['build', /dist\/(pollsters|agent|util|sample)/],
];

/**
 * Milliseconds of CPU by step. What Node's own code does counts for the step that called it; the garbage collector and
 * what nobody of ours called (reading sockets, starting up) stand for themselves.
 */
export function timeBySteps(file: string): ReadonlyMap<string, number> {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const steps = stepsOfNodes(profile.nodes);
  const times = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const step = steps.get(id) ?? 'other';
    if (step !== 'idle') times.set(step, (times.get(step) ?? 0) + (profile.timeDeltas[index] ?? 0) / 1000);
  });
  return times;
}

function stepsOfNodes(nodes: readonly ProfileNode[]): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const steps = new Map<number, string>();
  function walk(node: ProfileNode, inherited: string): void {
    const step = ownStep(node) ?? inherited;
    steps.set(node.id, step);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) walk(child, step);
    }
  }
  const [root] = nodes;
  if (root !== undefined) walk(root, 'other');
  return steps;
}

function ownStep({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  if (functionName === '(idle)') return 'idle';
  if (functionName === '(garbage collector)') return 'garbage collection';
  return STEPS.find(([, files]) => files.test(url))?.[0];
}
