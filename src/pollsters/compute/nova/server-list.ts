/** The servers of this host as Nova last told: upstream's naive discovery, which asks for changes only. */
import { isDeepStrictEqual } from 'node:util';
import { ServiceError } from '../../../errors.ts';
import type { Host } from '../../../plugin.ts';
import { type Clock, systemClock } from '../../../util/clock.ts';
import { forEachLimit } from '../../../util/map-limit.ts';
import { settledWithin } from '../../../util/patience.ts';
import { singleFlight } from '../../../util/single-flight.ts';
import { createTtlCache } from '../../../util/ttl-cache.ts';
import type { JsonObject } from '../../../wire/value.ts';
import type { NovaApi } from './api.ts';
import { createPresence } from './presence.ts';
import { describeServer, flavorIdOf, imageIdOf, type Server } from './server.ts';

export interface ServerList {
  /**
   * Asks for what changed, if it is time to, and waits for the answer only as long as a cycle can. Resolves to whether
   * the list is complete. Never rejects but for the signal.
   */
  refresh(signal: AbortSignal): Promise<boolean>;
  get(id: string): Server | undefined;
}

interface Known {
  readonly server: JsonObject;
  /** The last description; undefined when the flavor was never told. */
  readonly described: Server | undefined;
  /** Whether its flavor and image are known, or known to be gone. */
  readonly settled: boolean;
}

const FACTS_GOOD_FOR = 600_000;
const NOTHING_GOOD_FOR = 60_000;
const PATIENCE = 10_000;
const LIMIT = 120_000;
const AT_ONCE = 4;
/** Nova's clock may differ from ours: what changed shortly before the last request is asked for again. */
const OVERLAP = 60_000;
/** Upstream leaves them out. */
const LEFT_OUT = new Set(['deleted', 'error']);

export function createServerList(host: Host, api: NovaApi, clock: Clock = systemClock): ServerList {
  const { resourceUpdateInterval, resourceCacheExpiry } = host.config.compute;
  const presence = createPresence(
    host.log,
    'nova',
    'instances are described as Nova last told, and those it told nothing of as libvirt has them',
  );
  const life = { clock, ttl: FACTS_GOOD_FOR, nothingTtl: NOTHING_GOOD_FOR };
  const flavors = createTtlCache(life, (id, signal) => api.flavor(id, signal));
  const images = createTtlCache(life, (id, signal) => api.image(id, signal));
  let servers = new Map<string, Known>();
  /** When Nova last told all there is, and what changed. */
  let lastFull: number | undefined;
  let last: { readonly wall: number; readonly monotonic: number } | undefined;

  const update = singleFlight(async () => {
    const signal = AbortSignal.timeout(LIMIT);
    const asked = { wall: clock.now(), monotonic: clock.monotonic() };
    const full =
      last === undefined || lastFull === undefined || asked.monotonic - lastFull >= resourceCacheExpiry * 1000;
    const since = full || last === undefined ? undefined : new Date(last.wall - OVERLAP).toISOString();
    const told = await api.servers(host.hostname, since, signal);
    const next = new Map(full ? [] : servers);
    const changed = new Map(full ? [] : unsettled(servers));
    for (const server of told) {
      const { id } = server;
      if (typeof id !== 'string') continue;
      if (LEFT_OUT.has(String(server['OS-EXT-STS:vm_state']))) {
        next.delete(id);
        changed.delete(id);
      } else changed.set(id, server);
    }
    const failures: unknown[] = [];
    await forEachLimit([...changed], AT_ONCE, async ([id, server]) => {
      next.set(id, await describe(server, servers.get(id), failures, signal));
    });
    servers = next;
    last = asked;
    if (full) lastFull = asked.monotonic;
    if (failures.length > 0) throw failures[0];
  });

  /** What cannot be asked for now stays as it was, and is asked for with the next update. */
  async function describe(
    server: JsonObject,
    before: Known | undefined,
    failures: unknown[],
    signal: AbortSignal,
  ): Promise<Known> {
    if (before?.settled === true && isDeepStrictEqual(before.server, server)) return before;
    const attempt = <T>(promise: Promise<T>): Promise<T | 'unknown'> =>
      promise.catch((error: unknown) => {
        failures.push(error);
        return 'unknown' as const;
      });
    const flavorId = flavorIdOf(server);
    const imageId = imageIdOf(server);
    const [flavor, image] = await Promise.all([
      flavorId === undefined ? undefined : attempt(flavors.get(flavorId, signal)),
      imageId === undefined ? undefined : attempt(images.get(imageId, signal)),
    ]);
    // Sizes that are not known must not be told as 0.
    if (flavor === 'unknown') return { server, described: before?.described, settled: false };
    if (image === 'unknown' && before?.described !== undefined)
      return { server, described: before.described, settled: false };
    const parts = { server, flavor, image: image === 'unknown' ? undefined : image };
    return { server, described: describeServer(parts, host.config.default), settled: image !== 'unknown' };
  }

  async function tryUpdate(): Promise<void> {
    try {
      await update();
      presence.found();
    } catch (error) {
      presence.lost(error);
    }
  }

  return {
    async refresh(signal) {
      const due = last === undefined || clock.monotonic() - last.monotonic >= resourceUpdateInterval * 1000;
      if (due || presence.away) {
        const updated = tryUpdate();
        // While Nova is away, or slow, no cycle waits for it.
        if (!presence.away && !(await settledWithin(updated, PATIENCE, signal, clock))) {
          presence.lost(new ServiceError(`no answer within ${PATIENCE / 1000} s`));
        }
      }
      return !presence.away;
    },
    get: (id) => servers.get(id)?.described,
  };
}

function unsettled(servers: ReadonlyMap<string, Known>): readonly (readonly [id: string, server: JsonObject])[] {
  return [...servers].flatMap(([id, { server, settled }]) => (settled ? [] : [[id, server] as const]));
}
