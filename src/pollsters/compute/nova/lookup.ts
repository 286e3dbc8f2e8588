/** What Nova is asked for beside libvirt: ids of flavors that older domains have not, and metadata that users gave. */
import { ServiceError } from '../../../errors.ts';
import type { Host, PollContext } from '../../../plugin.ts';
import { type Clock, systemClock } from '../../../util/clock.ts';
import { forEachLimit } from '../../../util/map-limit.ts';
import { settledWithin } from '../../../util/patience.ts';
import { singleFlight } from '../../../util/single-flight.ts';
import { isObject, type JsonObject } from '../../../wire/value.ts';
import type { InstanceFacts, NovaKnowledge } from '../instance.ts';
import { createNovaApi, type NovaApi } from './api.ts';
import { createPresence } from './presence.ts';

export interface NovaLookup {
  /**
   * Asks for what is not known yet, and waits for the answer only as long as a cycle can. Never rejects but for the
   * signal.
   */
  learn(instances: readonly InstanceFacts[], ctx: Pick<PollContext, 'signal'>): Promise<void>;
  /** From what was learnt so far. Its parts are the same objects until there is something new. */
  knowledgeOf(facts: InstanceFacts): NovaKnowledge;
}

interface Server {
  readonly flavorId: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** When it is to be asked for again. */
  readonly until: number;
}

/** Both change seldom, and a fleet asks for those of all its instances. */
const GOOD_FOR = 6 * 3_600_000;
const NOTHING_GOOD_FOR = 60_000;
const PATIENCE = 5000;
const PAUSE_WHILE_AWAY = 60_000;
const LIMIT = 120_000;
const AT_ONCE = 4;

const NO_METADATA: Readonly<Record<string, string>> = {};

/** Makes no session before something is to be asked, unless `fetch_extra_metadata` wants one for certain. */
export function createNovaLookup(host: Host, clock: Clock = systemClock): NovaLookup {
  const { fetchExtraMetadata } = host.config.compute;
  const presence = createPresence(
    host.log,
    'nova',
    'flavors that libvirt has no id of go by their name, user metadata stays as it is known',
  );
  const servers = new Map<string, Server>();
  let flavors: { readonly ids: ReadonlyMap<string, string>; readonly asked: number } | undefined;
  let notBefore = 0;
  let api: NovaApi | undefined = fetchExtraMetadata ? makeApi() : undefined;
  let wanted: readonly InstanceFacts[] = [];

  function makeApi(): NovaApi {
    return createNovaApi(host.openstack(), host.config.serviceTypes.nova);
  }

  const serverOf = ({ domain }: InstanceFacts) => servers.get(domain.uuid);
  const idFromServer = (facts: InstanceFacts) => (fetchExtraMetadata ? serverOf(facts)?.flavorId : undefined);

  function unknownServers(): readonly string[] {
    if (!fetchExtraMetadata) return [];
    const now = clock.monotonic();
    return wanted.map(({ domain }) => domain.uuid).filter((uuid) => now >= (servers.get(uuid)?.until ?? 0));
  }

  function lacksFlavors(): boolean {
    const age = flavors === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() - flavors.asked;
    return wanted.some((facts) => {
      const { id, name } = facts.nova.flavor;
      if (id !== undefined || idFromServer(facts) !== undefined) return false;
      return age >= (flavors?.ids.has(name) ? GOOD_FOR : NOTHING_GOOD_FOR);
    });
  }

  async function askForServers(nova: NovaApi, uuids: readonly string[], signal: AbortSignal): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    await forEachLimit(uuids, AT_ONCE, async (uuid) => {
      if (failure !== undefined) return;
      try {
        const found = await nova.server(uuid, signal);
        const goodFor = found === undefined ? NOTHING_GOOD_FOR : GOOD_FOR;
        servers.set(uuid, readServer(found ?? {}, clock.monotonic() + goodFor));
      } catch (error) {
        failure ??= { error };
      }
    });
    if (failure !== undefined) throw failure.error;
  }

  const ask = singleFlight(async () => {
    const signal = AbortSignal.timeout(LIMIT);
    try {
      api ??= makeApi();
      await askForServers(api, unknownServers(), signal);
      if (lacksFlavors()) {
        flavors = { ids: await api.flavorIds(signal), asked: clock.monotonic() };
      }
      presence.found();
    } catch (error) {
      notBefore = clock.monotonic() + PAUSE_WHILE_AWAY;
      presence.lost(error);
    }
  });

  return {
    async learn(instances, { signal }) {
      wanted = instances;
      forgetOthers(servers, instances);
      if (clock.monotonic() < notBefore || (unknownServers().length === 0 && !lacksFlavors())) return;
      const asked = ask();
      // While Nova is away, or slow, no cycle waits for it.
      if (presence.away || (await settledWithin(asked, PATIENCE, signal, clock))) return;
      presence.lost(new ServiceError(`no answer within ${PATIENCE / 1000} s`));
    },
    knowledgeOf: (facts) => ({
      flavorId: facts.nova.flavor.id ?? idFromServer(facts) ?? flavors?.ids.get(facts.nova.flavor.name),
      serverMetadata: serverOf(facts)?.metadata ?? NO_METADATA,
    }),
  };
}

function readServer({ flavor, metadata }: JsonObject, until: number): Server {
  const id = flavor !== undefined && isObject(flavor) ? flavor['id'] : undefined;
  return {
    flavorId: typeof id === 'string' ? id : undefined,
    metadata: metadata !== undefined && isObject(metadata) ? texts(metadata) : NO_METADATA,
    until,
  };
}

function texts(object: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  );
}

function forgetOthers(servers: Map<string, unknown>, instances: readonly InstanceFacts[]): void {
  if (servers.size === 0) return;
  const uuids = new Set(instances.map(({ domain }) => domain.uuid));
  for (const uuid of servers.keys()) if (!uuids.has(uuid)) servers.delete(uuid);
}
