/** Turns tables of meters into pollsters. Meters of one area share one read of the machine a cycle. */
import {
  type Factory,
  type Host,
  type Metadata,
  type Meter,
  NoDataError,
  PermanentPollError,
  type PollContext,
  type Pollster,
  type Reading,
} from '../../plugin.ts';
import { monotonicSeconds } from '../../sample.ts';
import { untilAborted } from '../../util/scope.ts';

/** One thing that an area found: the machine itself, or a named part of it. */
export interface Entry<T> {
  readonly part?: string;
  readonly value: T;
  readonly metadata?: Metadata;
}

interface MeterRow<T> extends Omit<Meter, 'name'> {
  /** Undefined where this machine does not say. */
  readonly read: (value: T) => number | bigint | undefined;
}

/** What an agent keeps for its meters. */
export interface AreaState {
  /** Metadata of the machine, one object for all samples. */
  readonly metadata: Metadata;
}

export interface Area<S extends AreaState, T> {
  readonly name: string;
  /** True where a value belongs to the polling source that asked and not to the machine alone. */
  readonly perSource?: true;
  /** An empty list means that this machine has nothing of the kind. */
  readonly load: (state: S, ctx: PollContext) => Promise<readonly Entry<T>[]>;
  readonly meters: Readonly<Record<string, MeterRow<T>>>;
}

interface Found<T> {
  readonly entries: readonly (Entry<T> & { readonly metadata: Metadata })[];
  readonly monotonicTime: number;
}

function loadOnce<S extends AreaState, T>(area: Area<S, T>, state: S, ctx: PollContext): Promise<Found<T>> {
  const key = area.perSource ? `host:${area.name}:${ctx.source}` : `host:${area.name}`;
  return ctx.cache.get(key, async () => {
    const entries = await untilAborted(area.load(state, ctx), ctx.signal);
    return {
      monotonicTime: monotonicSeconds(),
      entries: entries.map(({ metadata, ...entry }) => ({
        ...entry,
        metadata: metadata === undefined ? state.metadata : { ...state.metadata, ...metadata },
      })),
    };
  });
}

function pollsterOf<S extends AreaState, T>(
  area: Area<S, T>,
  meter: Meter,
  row: MeterRow<T>,
  state: S,
  hostname: string,
): Pollster {
  return {
    meters: [meter],
    discovery: 'local_node',
    async *poll(resources, ctx) {
      const foreign = resources.map(({ id }) => id).filter((id) => id !== hostname);
      if (foreign.length < resources.length) yield* readings(ctx);
      if (foreign.length > 0) {
        throw new PermanentPollError(
          `host meters are read of ${hostname} alone, not of ${foreign.join(', ')}`,
          foreign,
        );
      }
    },
  };

  async function* readings(ctx: PollContext): AsyncGenerator<Reading> {
    const { entries, monotonicTime } = await loadOnce(area, state, ctx);
    let count = 0;
    for (const { part, value, metadata } of entries) {
      const volume = row.read(value);
      if (volume === undefined) continue;
      count += 1;
      const resourceId = part === undefined ? hostname : `${hostname}.${part}`;
      yield { resourceId, volume, metadata, monotonicTime };
    }
    if (count === 0) throw new NoDataError(`this machine does not tell ${meter.name}`);
  }
}

export function areaPollsters<S extends AreaState, T>(
  area: Area<S, T>,
  stateOf: (host: Host) => S,
): Readonly<Record<string, Factory<Pollster>>> {
  return Object.fromEntries(
    Object.entries(area.meters).map(([name, row]) => {
      const { read: _, ...rest } = row;
      const meter = { name, ...rest };
      return [name, (host: Host) => pollsterOf(area, meter, row, stateOf(host), host.hostname)];
    }),
  );
}
