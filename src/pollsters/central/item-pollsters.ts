/** Makes pollsters of the rows of meter tables. */
import { PermanentPollError } from '../../errors.ts';
import type { Factory, MetadataValue, Meter, Pollster, Reading, Resource } from '../../plugin.ts';
import { WholeFloat } from '../../wire/value.ts';
import type { Central, CentralOf } from './central.ts';
import { volumeOf } from './fields.ts';
import { type Item, isItem, type Listing, type Values } from './listing.ts';

/** A meter and how it is read. */
export interface Row extends Omit<Meter, 'name' | 'type'> {
  /** The value; undefined where the service does not say. `strange` takes words that have no number of their own. */
  read(values: Values, strange: (word: string) => void): number | bigint | WholeFloat | undefined;
}

/** Rows by the name of their meter. All are gauges, as upstream's. */
export type Table = Readonly<Record<string, Row>>;

export type Pollsters = Readonly<Record<string, Factory<Pollster>>>;

export function itemPollsters(centralOf: CentralOf, listing: Listing, table: Table): Pollsters {
  return Object.fromEntries(
    Object.entries(table).map(([name, row]) => [name, (host) => itemPollster(centralOf(host), listing, name, row)]),
  );
}

function itemPollster(central: Central, listing: Listing, name: string, row: Row): Pollster {
  const { unit, float, help } = row;
  const meter: Meter = { name, type: 'gauge', unit, ...(float && { float }), ...(help && { help }) };
  const asFloat: Meter = { ...meter, float: true };
  return {
    meters: [meter],
    discovery: listing.name,
    pagewise: true,
    *poll(resources, ctx): Generator<Reading> {
      const items = itemsOf(resources, listing);
      let unknown = 0;
      const strange = (word: string) =>
        central.troubled(
          `${name} ${word}`,
          { pollster: name, status: word },
          'a status is not known, its number is -1',
        );
      for (const { id, values, metadata, projectId, userId } of items) {
        const volume = row.read(values, strange);
        if (volume === undefined) unknown += 1;
        else if (volume instanceof WholeFloat) {
          yield { meter: asFloat, resourceId: id, volume: volume.value, metadata, projectId, userId };
        } else yield { resourceId: id, volume, metadata, projectId, userId };
      }
      if (unknown > 0) ctx.log.debug({ source: ctx.source, meter: name, unknown }, 'some resources have no value');
      refuseOthers(resources, items, listing, name);
    },
  };
}

export function itemsOf(resources: readonly Resource[], { name }: Listing): readonly Item[] {
  return resources.filter(isItem).filter(({ listing }) => listing === name);
}

/** A source in polling.yaml may name any resources or discovery. */
export function refuseOthers(
  resources: readonly Resource[],
  items: readonly Item[],
  listing: Listing,
  name: string,
): void {
  if (items.length === resources.length) return;
  const known = new Set<Resource>(items);
  const others = resources.filter((resource) => !known.has(resource)).map(({ id }) => id);
  throw new PermanentPollError(
    `${name} is read from what the discovery ${listing.name} finds, not from ${others.slice(0, 3).join(', ')}`,
    others,
  );
}

/** Reads the number that a key has. */
export const numberIn = (key: string) => (values: Values) => volumeOf(values[key]);

/** As `numberIn`, 0 where the service says null. */
export const numberOrZeroIn = (key: string) => (values: Values) => (values[key] === null ? 0 : volumeOf(values[key]));

/** One for each resource. */
export const one = () => 1;

/** Upstream's number for a word; -1 for one that has none. */
export function codeIn(codes: Readonly<Record<string, number>>, key: string): Row['read'] {
  return (values, strange) => {
    const word = wordOf(values[key]);
    const code = Object.hasOwn(codes, word) ? codes[word] : undefined;
    if (code === undefined) strange(word);
    return code ?? -1;
  };
}

function wordOf(value: MetadataValue | undefined): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}
