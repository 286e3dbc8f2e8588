/** Runs the pollsters of a host plugin as the agent would: one cache a cycle, all side by side. */
import { eachReading } from '../../../src/agent/readings.ts';
import { codeOf } from '../../../src/errors.ts';
import type { CycleCache, Host, Plugin, Pollster, Reading } from '../../../src/plugin.ts';
import { fakeHost } from './recorded.ts';

function cycleCache(): CycleCache {
  const values = new Map<string, Promise<unknown>>();
  return {
    get<T>(key: string, load: () => T | Promise<T>): Promise<T> {
      const known = values.get(key) as Promise<T> | undefined;
      if (known !== undefined) return known;
      const value = (async () => load())();
      values.set(key, value);
      return value;
    },
  };
}

export interface Poll {
  readonly readings: readonly Reading[];
  readonly error?: unknown;
}

export interface CycleOptions {
  readonly source?: string;
  readonly signal?: AbortSignal;
  readonly resources?: readonly string[];
}

export async function agentOf(plugin: Plugin, host: Host = fakeHost('cn1')) {
  const pollsters = new Map<string, Pollster>();
  for (const [name, make] of Object.entries(plugin.pollsters?.['host'] ?? {})) pollsters.set(name, await make(host));

  async function poll(pollster: Pollster, cache: CycleCache, options: CycleOptions): Promise<Poll> {
    const readings: Reading[] = [];
    const { source = 'host', signal = new AbortController().signal, resources = [host.hostname] } = options;
    try {
      const ctx = { signal, cache, log: host.log, source };
      const polled = await pollster.poll(
        resources.map((id) => ({ id })),
        ctx,
      );
      for await (const reading of eachReading(polled)) readings.push(reading);
      return { readings };
    } catch (error) {
      return { readings, error };
    }
  }

  return {
    pollsters,
    async cycle(options: CycleOptions = {}): Promise<ReadonlyMap<string, Poll>> {
      const cache = cycleCache();
      const results = [...pollsters].map(
        async ([name, pollster]) => [name, await poll(pollster, cache, options)] as const,
      );
      return new Map(await Promise.all(results));
    },
  };
}

/** What a cycle read, as `resource meter` → volume. */
export function volumes(cycle: ReadonlyMap<string, Poll>): Record<string, number | bigint> {
  return Object.fromEntries(
    [...cycle].flatMap(([meter, { readings }]) =>
      readings.map(({ resourceId, volume }) => [`${resourceId} ${meter}`, volume] as const),
    ),
  );
}

/** The meters that yielded nothing, by the code of the error that says why. */
export function silent(cycle: ReadonlyMap<string, Poll>): Record<string, string | undefined> {
  return Object.fromEntries(
    [...cycle].filter(([, { readings }]) => readings.length === 0).map(([meter, { error }]) => [meter, codeOf(error)]),
  );
}
