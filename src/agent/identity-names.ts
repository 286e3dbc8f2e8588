/** `[polling] identity_name_discovery`: the names of the projects and users of samples, from Keystone. */
import type { Output } from '../output/output.ts';
import { type Logger, type OpenStackSession, statusOf } from '../plugin.ts';
import type { Sample } from '../sample.ts';
import type { Clock } from '../util/clock.ts';
import { untilAborted } from '../util/scope.ts';
import { createTtlCache, type TtlCache } from '../util/ttl-cache.ts';

export interface NamesParts {
  readonly session: OpenStackSession;
  readonly clock: Clock;
  readonly log: Logger;
}

type Kind = 'projects' | 'users';

/** Milliseconds that a name is kept, as long as upstream does. */
const LIFE = 600_000;
/** Milliseconds for which it counts that there is no name, or that Keystone does not answer. */
const LIFE_OF_NOTHING = 60_000;
/** Milliseconds that samples wait for a name. */
const PATIENCE = 10_000;

/** An output that adds names to samples which have none, and hands them on. A name that is not known stays null. */
export function withNames(output: Output, parts: NamesParts): Output {
  const nameOf = createNames(parts);

  async function named(sample: Sample, signal: AbortSignal): Promise<Sample> {
    const { projectId, projectName, userId, userName } = sample;
    const [project, user] = await Promise.all([
      projectName ?? nameOf('projects', projectId, signal),
      userName ?? nameOf('users', userId, signal),
    ]);
    return { ...sample, projectName: project, userName: user };
  }

  return {
    async publish(batch, signal, interval) {
      await output.publish(await Promise.all(batch.map((sample) => named(sample, signal))), signal, interval);
    },
    cycleEnded: (report) => output.cycleEnded?.(report),
    flush: (signal) => output.flush(signal),
    close: () => output.close(),
  };
}

function createNames({ session, clock, log }: NamesParts) {
  const identity = session.service('identity', { version: 'v3' });
  /** Until when Keystone is not asked, since it did not answer. */
  let silentUntil = 0;
  let silent = false;
  let refused = false;

  async function ask(kind: Kind, id: string): Promise<string | undefined> {
    if (clock.monotonic() < silentUntil) return undefined;
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const answer = await identity.get(`/${kind}/${encodeURIComponent(id)}`, { signal });
      if (silent) log.info({}, 'Keystone tells names again');
      silent = false;
      const [found] = Object.values(answer);
      const name = typeof found === 'object' && found !== null && 'name' in found ? found['name'] : undefined;
      return typeof name === 'string' ? name : undefined;
    } catch (error) {
      // Samples outlive projects and users.
      if (statusOf(error) === 404) return undefined;
      if (statusOf(error) === 403) {
        if (!refused) log.warn({ err: error }, 'some names of projects or users may not be seen, samples go without');
        refused = true;
        return undefined;
      }
      if (!silent) log.warn({ err: error }, 'Keystone does not tell names of projects and users, samples go without');
      silent = true;
      silentUntil = clock.monotonic() + LIFE_OF_NOTHING;
      return undefined;
    }
  }

  const life = { clock, ttl: LIFE, nothingTtl: LIFE_OF_NOTHING };
  const known: Readonly<Record<Kind, TtlCache<string>>> = {
    projects: createTtlCache(life, (id) => ask('projects', id)),
    users: createTtlCache(life, (id) => ask('users', id)),
  };

  return async function nameOf(kind: Kind, id: string | null, signal: AbortSignal): Promise<string | null> {
    if (id === null || id === '') return null;
    return (await untilAborted(known[kind].get(id, signal), signal)) ?? null;
  };
}
