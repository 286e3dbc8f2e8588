/** The instances of this host and what libvirt says of them, asked for once per cycle for all pollsters. */
import { randomUUID } from 'node:crypto';
import { describeError } from '../../errors.ts';
import type { BlockInfo, Domain, DomainEdge, DomainStats } from '../../libvirt/inspector.ts';
import type { Edge, Host, PollContext, Resource } from '../../plugin.ts';
import { monotonicSeconds } from '../../sample.ts';
import { bootId } from '../../util/boot-id.ts';
import { replay } from '../../util/replay.ts';
import { CounterMemory } from './counter-memory.ts';
import { createImageSizes, type ImageSizes } from './image-sizes.ts';
import { type Instance, isInstance } from './instance.ts';
import { StaleBalloons } from './stale-balloons.ts';

/** Where it comes from what the domains of this host are to Nova. */
export interface InstanceSource {
  /** Whether a domain looks like an instance, before it is read. Only a guess: `find` has the last word. */
  mayBeInstance(domain: Domain): boolean;
  /** The instances among these domains, which are all there are. One that has not changed is the same object as before. */
  find(domains: readonly Domain[], ctx: FindContext): Promise<readonly Instance[]>;
}

export type FindContext = Pick<PollContext, 'signal' | 'log'>;

/** What libvirt said of some instances, by their id. */
export interface Answer {
  readonly stats: ReadonlyMap<string, DomainStats>;
  /** What the images of their disks occupy, by instance and device. Asked for at the first call. */
  images(ctx: PollContext): Promise<ReadonlyMap<string, ReadonlyMap<string, BlockInfo>>>;
}

/** The answers of a cycle as they come; who asks later gets the same ones. Each instance is in one of them at most. */
export type Answers = AsyncIterable<Answer> | Iterable<Answer>;

export interface Compute {
  readonly reportStopped: boolean;
  instances(ctx: PollContext): Promise<readonly Instance[]>;
  answers(ctx: PollContext): Promise<Answers>;
  /** Those of the resources that are instances, by id. Where they are all of the cycle's, it is one map for all who ask. */
  byId(resources: readonly Resource[], ctx: PollContext): Promise<ReadonlyMap<string, Instance>>;
  /** Remembers counters, over a restart too, as long as their instances are on this host. */
  readonly memory: CounterMemory;
  /** Reports the starts and the ends of instances. */
  watch(report: (edge: Edge<Instance>) => void, signal: AbortSignal): void;
}

/** Under which keys the pollsters find what they share in a cycle. */
const CACHED = {
  domains: 'compute:domains',
  instances: 'compute:instances',
  answers: 'compute:answers',
  byId: 'compute:by-id',
} as const;

export function createCompute(host: Host, source: InstanceSource): Compute {
  const { reportStoppedInstanceMetrics: reportStopped } = host.config.compute;
  const inspector = host.inspector();
  const sizes: ImageSizes = createImageSizes(inspector, reportStopped);
  const memory = new CounterMemory(host.state('compute.counters'));
  const balloons = new StaleBalloons(host.log);
  let listed: readonly Domain[] = [];

  function domains(ctx: PollContext): Promise<readonly Domain[]> {
    return ctx.cache.get(CACHED.domains, async () => {
      listed = await inspector.domains(ctx.signal);
      return listed;
    });
  }

  function instances(ctx: PollContext): Promise<readonly Instance[]> {
    return ctx.cache.get(CACHED.instances, async () => {
      const candidates = await domains(ctx);
      // libvirt takes a while to answer: the XML of domains that are new is read meanwhile.
      void answers(ctx);
      const found = await source.find(candidates, ctx);
      const ids = new Set(found.map(({ id }) => id));
      memory.keepOnly(ids);
      balloons.keepOnly(ids);
      return found;
    });
  }

  function answers(ctx: PollContext): Promise<Answers> {
    return ctx.cache.get(CACHED.answers, () =>
      replay<Answer>(async (put) => {
        const early = (await domains(ctx)).filter((domain) => source.mayBeInstance(domain));
        const [found] = await Promise.all([instances(ctx), ask(early, ctx, put)]);
        const asked = new Set(early);
        const late = found.map(({ domain }) => domain).filter((domain) => !asked.has(domain));
        if (late.length > 0) await ask(late, ctx, put);
      }),
    );
  }

  async function ask(asked: readonly Domain[], ctx: PollContext, put: (answer: Answer) => void): Promise<void> {
    const told = new Set<string>();
    const said = await inspector.stats(asked, ctx.signal, (some) => {
      for (const uuid of some.keys()) told.add(uuid);
      put(answerOf(some));
    });
    balloons.note(said);
    if (told.size === said.size) return;
    put(answerOf(new Map([...said].filter(([uuid]) => !told.has(uuid)))));
  }

  function answerOf(stats: ReadonlyMap<string, DomainStats>): Answer {
    let images: ReturnType<Answer['images']> | undefined;
    return {
      stats,
      images(ctx) {
        images ??= allById(ctx).then((all) => {
          const answered = Array.from(stats.keys()).flatMap((id) => all.get(id) ?? []);
          return sizes(answered, stats, ctx.signal);
        });
        return images;
      },
    };
  }

  function allById(ctx: PollContext): Promise<ReadonlyMap<string, Instance>> {
    return ctx.cache.get(CACHED.byId, async () => mapOf(await instances(ctx)));
  }

  async function byId(resources: readonly Resource[], ctx: PollContext): Promise<ReadonlyMap<string, Instance>> {
    const all = await instances(ctx);
    const areAll = resources.length === all.length && all.every((instance, index) => instance === resources[index]);
    return areAll ? allById(ctx) : mapOf(resources.filter(isInstance));
  }

  /** Images are not now what they were then. */
  async function answerOfThen(instance: Instance, stats: Answer['stats'], signal: AbortSignal): Promise<Answer> {
    const images = await sizes([instance], stats, signal, false);
    return { stats, images: async () => images };
  }

  /**
   * The ids of domains begin anew when libvirtd starts while none is running; the time since the machine was started
   * does not.
   */
  async function edgeOf({ kind, domain, stats: said }: DomainEdge, boot: string, signal: AbortSignal) {
    const others = listed.filter(({ uuid }) => uuid !== domain.uuid);
    const found = await source.find([...others, domain], { signal, log: host.log });
    const instance = found.find(({ id }) => id === domain.uuid);
    if (instance === undefined) return undefined;
    const stats = new Map([[instance.id, said]]);
    const known = new Map<string, unknown>([
      [CACHED.instances, [instance]],
      [CACHED.answers, [kind === 'last' ? await answerOfThen(instance, stats, signal) : answerOf(stats)]],
    ]);
    const key = `${boot}/${Math.round(said.monotonicTime * 1000)}/${domain.id}/${kind}`;
    if (kind !== 'last') return { key, resource: instance, known };
    return { key, resource: instance, known, time: Date.now() - (monotonicSeconds() - said.monotonicTime) * 1000 };
  }

  async function watch(report: (edge: Edge<Instance>) => void, signal: AbortSignal): Promise<void> {
    const boot = (await bootId()) ?? randomUUID();
    if (signal.aborted) return;
    if (inspector.watch === undefined) host.log.warn({}, 'the hypervisor driver does not tell of starts and ends');
    async function tell(edge: DomainEdge): Promise<void> {
      try {
        const found = await edgeOf(edge, boot, signal);
        if (found !== undefined && !signal.aborted) report(found);
      } catch (error) {
        const { name, uuid } = edge.domain;
        host.log.warn({ domain: uuid, name, reason: describeError(error) }, 'start or end of a domain is left out');
      }
    }
    /** By domain, what is being told of it: its edges stay in order, and wait for no other's. */
    const turns = new Map<string, Promise<void>>();
    inspector.watch?.((edge) => {
      const { uuid } = edge.domain;
      const mine: Promise<void> = (turns.get(uuid) ?? Promise.resolve())
        .then(() => tell(edge))
        .finally(() => {
          if (turns.get(uuid) === mine) turns.delete(uuid);
        });
      turns.set(uuid, mine);
    }, signal);
  }

  return {
    reportStopped,
    memory,
    watch: (report, signal) => void watch(report, signal),
    instances,
    answers,
    byId,
  };
}

function mapOf(instances: readonly Instance[]): ReadonlyMap<string, Instance> {
  return new Map(instances.map((instance) => [instance.id, instance]));
}
