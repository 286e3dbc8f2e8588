/** Makes pollsters of the rows of meter tables. */
import { PermanentPollError } from '../../errors.ts';
import type { Factory, Host, Meter, PollContext, Pollster, Reading, Resource } from '../../plugin.ts';
import { takeBreath } from '../../util/breather.ts';
import type { Answer, Compute } from './compute.ts';
import { type History, noHistory } from './counter-memory.ts';
import { SHUT_OFF } from './domain-state.ts';
import type { Family, Split } from './families.ts';
import { type Instance, type InstanceResource, isInstance } from './instance.ts';

/** A meter and how it is read. */
export interface Row<S> extends Omit<Meter, 'name'> {
  /** The value; undefined when libvirt does not say. `history` is for values that need the poll before. */
  read(said: S, history: History): number | bigint | undefined;
  /**
   * Whether a shut-off instance has this meter too: always, or with `[compute] report_stopped_instance_metrics`.
   * Left out, it has not.
   */
  readonly stopped?: 'always' | 'reported';
  /** For values that need the poll before: the seconds that it is good for after a restart of the agent. */
  readonly remembers?: number;
}

/** Rows by the name of their meter. */
export type Table<S> = Readonly<Record<string, Row<S>>>;

export type Pollsters = Readonly<Record<string, Factory<Pollster>>>;

/** The compute service of a host, the same at each call. */
export type ComputeOf = (host: Host) => Compute;

export function domainPollsters<S, R extends InstanceResource>(
  computeOf: ComputeOf,
  family: Family<S, R>,
  table: Table<S>,
): Pollsters {
  return Object.fromEntries(
    Object.entries(table).map(([name, row]) => [name, (host) => domainPollster(computeOf(host), family, name, row)]),
  );
}

function domainPollster<S, R extends InstanceResource>(
  compute: Compute,
  family: Family<S, R>,
  name: string,
  row: Row<S>,
): Pollster {
  const { type, unit, float, help, remembers } = row;
  const memory = remembers === undefined ? undefined : compute.memory;
  return {
    meters: [{ name, type, unit, ...(float && { float }), ...(help && { help }) }],
    discovery: 'local_instances',
    shared: true,
    async *poll(resources, ctx): AsyncGenerator<Iterable<Reading>> {
      const instances = await compute.byId(resources, ctx);
      const count = { known: 0, unknown: 0 };
      await memory?.ready();
      try {
        for await (const answer of await compute.answers(ctx)) {
          const split = await family(answer, ctx);
          await takeBreath();
          yield readings(answer, split, instances, count, ctx);
        }
      } finally {
        memory?.save();
      }
      const gone = instances.size - count.known;
      if (gone + count.unknown > 0) {
        const fields = { source: ctx.source, meter: name, gone, unknown: count.unknown };
        ctx.log.debug(fields, 'some instances or devices have no value');
      }
      refuseOthers(resources, name);
    },
  };

  /** Takes no time between one and the next, so that they go without a promise each. */
  function* readings(
    { stats }: Answer,
    split: Split<S, R>,
    instances: ReadonlyMap<string, Instance>,
    count: { known: number; unknown: number },
    ctx: PollContext,
  ): Generator<Reading> {
    const key = { meter: name, source: ctx.source, maxAge: remembers ?? 0 };
    for (const [id, said] of stats) {
      const instance = instances.get(id);
      if (instance === undefined || said.state === undefined) continue;
      count.known++;
      if (said.state === SHUT_OFF && !hasWhenStopped(row, compute)) continue;
      const { userId, projectId } = instance.nova;
      const history = memory?.of(key, id) ?? noHistory;
      for (const resource of split.resources(instance.resources(said.state), said)) {
        // What comes too late is not taken any more, and must not go into the history either.
        if (ctx.signal.aborted) return;
        const found = split.said(resource, instance, said);
        const volume = found === undefined ? undefined : row.read(found, history);
        if (volume === undefined) {
          count.unknown++;
          continue;
        }
        const { resourceId, metadata } = resource;
        yield { resourceId, volume, metadata, userId, projectId, monotonicTime: said.monotonicTime };
      }
    }
  }
}

function hasWhenStopped<S>({ stopped }: Row<S>, { reportStopped }: Compute): boolean {
  return stopped === 'always' || (stopped === 'reported' && reportStopped);
}

/** A source in polling.yaml may name any resources or discovery. */
function refuseOthers(resources: readonly Resource[], name: string): void {
  if (resources.every(isInstance)) return;
  const others = resources.filter((resource) => !isInstance(resource)).map(({ id }) => id);
  throw new PermanentPollError(
    `${name} is read from instances of the discovery local_instances, not from ${others.slice(0, 3).join(', ')}`,
    others,
  );
}
