/** A host whose hypervisor says what a test tells it to, and the compute plugin polled against it. */
import { eachReading } from '../../../src/agent/readings.ts';
import type { BlockInfo, Domain, DomainStats, VirtInspector } from '../../../src/libvirt/inspector.ts';
import type { Meter, Plugin, PollContext, Pollster, Reading, Resource } from '../../../src/plugin.ts';
import type { NovaLookup } from '../../../src/pollsters/compute/nova/lookup.ts';
import { type FakeHost, type FakeHostOptions, fakeHost, pollContext } from '../../../src/testing.ts';

export type { FakeHost };

export interface FakeHypervisor {
  domains: Domain[];
  readonly stats: Map<string, DomainStats>;
  /** By `uuid-device`. */
  readonly images: Map<string, BlockInfo>;
  readonly calls: { domains: number; stats: number; blockInfo: string[] };
}

export function fakeHypervisor(): FakeHypervisor {
  return { domains: [], stats: new Map(), images: new Map(), calls: { domains: 0, stats: 0, blockInfo: [] } };
}

export function inspectorOf(hypervisor: FakeHypervisor): VirtInspector {
  const { calls } = hypervisor;
  return {
    connections: 1,
    async domains() {
      calls.domains++;
      return hypervisor.domains;
    },
    async stats(domains) {
      calls.stats++;
      const wanted = new Set(domains.map(({ uuid }) => uuid));
      return new Map([...hypervisor.stats].filter(([uuid]) => wanted.has(uuid)));
    },
    async blockInfo(disks) {
      return new Map(
        disks.flatMap((ref) => {
          const key = `${ref.domain.uuid}-${ref.device}`;
          calls.blockInfo.push(key);
          const info = hypervisor.images.get(key);
          return info === undefined ? [] : [[ref, info] as const];
        }),
      );
    },
    async close() {},
  };
}

type Options = NonNullable<FakeHostOptions['options']>;

/** A host under the name of the golden data's. */
export function hostOf(
  hypervisor: FakeHypervisor,
  options: Options = {},
  states?: FakeHostOptions['states'],
): FakeHost {
  return hostWith(inspectorOf(hypervisor), options, states);
}

export function hostWith(
  inspector: VirtInspector,
  options: Options = {},
  states: FakeHostOptions['states'] = new Map(),
): FakeHost {
  return fakeHost({ hostname: 'compute-1.oracle.example', inspector, options, states });
}

/** A Nova that has these flavors, and this metadata of each server. */
export function novaKnowing(
  flavors: Readonly<Record<string, string>>,
  serverMetadata: Readonly<Record<string, string>> = {},
): NovaLookup {
  return {
    learn: async () => {},
    knowledgeOf: ({ nova: { flavor } }) => ({ flavorId: flavor.id ?? flavors[flavor.name], serverMetadata }),
  };
}

/** A cycle of one source. */
export function cycle(host: FakeHost, source = 'test'): PollContext {
  return pollContext({ host, source });
}

export interface Polled extends Reading {
  readonly meter: Meter;
}

export interface LoadedPlugin {
  discover(ctx: PollContext): Promise<readonly Resource[]>;
  pollster(name: string): Pollster;
  /** Discovers and runs the pollsters named, or all but the rates, as the agent does in one cycle. */
  poll(ctx: PollContext, only?: readonly string[]): Promise<Polled[]>;
}

export async function load(plugin: Plugin, host: FakeHost): Promise<LoadedPlugin> {
  const discovery = await plugin.discoveries?.['compute']?.['local_instances']?.(host);
  const pollsters = new Map<string, Pollster>();
  for (const [name, make] of Object.entries(plugin.pollsters?.['compute'] ?? {})) pollsters.set(name, await make(host));
  const usual = [...pollsters.keys()].filter((name) => !name.endsWith('.rate'));
  function pollsterOf(name: string): Pollster {
    const pollster = pollsters.get(name);
    if (pollster === undefined) throw new Error(`no pollster ${name}`);
    return pollster;
  }
  const discover = async (ctx: PollContext) => (await discovery?.discover(undefined, ctx)) ?? [];
  return {
    discover,
    pollster: pollsterOf,
    async poll(ctx, only = usual) {
      const resources = await discover(ctx);
      const polled: Polled[] = [];
      for (const name of resources.length === 0 ? [] : only) {
        const pollster = pollsterOf(name);
        const [meter] = pollster.meters;
        if (meter === undefined) throw new Error(`${name} has no meter`);
        for await (const reading of eachReading(await pollster.poll(resources, ctx)))
          polled.push({ ...reading, meter });
      }
      return polled;
    },
  };
}
