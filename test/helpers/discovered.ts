import type { Discoverer } from '../../src/agent/discovery.ts';
import type { PollContext, Resource } from '../../src/plugin.ts';

/** All that a discovery finds, each once, for any number of polls in one cycle. */
export async function discovered(
  discoverer: Discoverer,
  url: string,
  namespace: string,
  ctx: PollContext,
): Promise<readonly Resource[]> {
  const found = new Map<string, Resource>();
  const bounds = { readers: Number.POSITIVE_INFINITY, patience: 0 };
  for await (const page of discoverer.pages(url, namespace, ctx, { isOurs: undefined, part: 'all', bounds }))
    for (const one of page) found.set(one.id, one);
  return [...found.values()];
}
