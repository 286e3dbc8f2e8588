/** Discoveries of what services list. */

import { asSdkType, type SdkType } from '../../openstack/sdk-types.ts';
import type { Discovery, Metadata, MetadataValue, OpenStackService, PollContext, Resource } from '../../plugin.ts';
import type { JsonObject } from '../../wire/value.ts';
import { type Central, pagesOf } from './central.ts';
import { textIn } from './fields.ts';

/** A list of a service, and what of its entries is kept. */
export interface Listing {
  /** The discovery's name. */
  readonly name: string;
  readonly service: (central: Central) => OpenStackService | undefined;
  readonly path: string;
  /** The list's name in the answer. */
  readonly collection: string;
  readonly query?: Readonly<Record<string, string>>;
  /** A service may lack this API: 404 says that there is nothing. */
  readonly optional?: true;
  /** Puts what lies deeper into an entry, or is put together, beside the rest. */
  readonly unfold?: (entry: JsonObject, central: Central) => JsonObject;
  /** The keys to look for the project's id in, best first; none for what belongs to no project. */
  readonly project: readonly string[];
  readonly user?: string;
  /** Keys that become metadata; a pair where the name there is another. */
  readonly metadata: readonly (string | readonly [name: string, key: string])[];
  /** Keys that meters read. */
  readonly values: readonly string[];
  /** The types that upstream's client turns values into, for those keys of which it has one. */
  readonly types?: Readonly<Record<string, SdkType>>;
}

/** An entry of a list, without what nobody asked for: where several meters read them they are held for a cycle. */
export interface Item extends Resource {
  readonly listing: string;
  readonly projectId: string | null;
  readonly userId: string | null;
  readonly metadata: Metadata;
  readonly values: Values;
}

export type Values = Readonly<Record<string, MetadataValue>>;

export function isItem(resource: Resource): resource is Item {
  return 'listing' in resource && 'values' in resource;
}

export function listingDiscovery(central: Central, listing: Listing): Discovery<Item> {
  const { name, path, collection, query, optional = false } = listing;
  const service = listing.service(central);

  async function* pages(_parameter: string | undefined, { signal, log }: PollContext): AsyncGenerator<readonly Item[]> {
    if (service === undefined) return;
    let nameless = 0;
    const entries = () => service.pages(path, collection, { signal, ...(query && { query }) });
    for await (const page of pagesOf(central, name, optional, entries)) {
      const items = page.map((entry) => itemOf(entry, listing, central)).filter((item) => item !== undefined);
      nameless += page.length - items.length;
      yield items;
    }
    if (nameless > 0) log.debug({ discovery: name, entries: nameless }, 'some entries have no id');
  }

  return {
    group: name,
    async discover(parameter, ctx) {
      const items = new Map<string, Item>();
      // What moves between two pages is listed twice.
      for await (const page of pages(parameter, ctx)) for (const item of page) items.set(item.id, item);
      return [...items.values()];
    },
    pages,
  };
}

function itemOf(entry: JsonObject, listing: Listing, central: Central): Item | undefined {
  const unfolded = listing.unfold?.(entry, central) ?? entry;
  const id = textIn(unfolded, 'id');
  if (id === undefined) return undefined;
  return {
    id,
    listing: listing.name,
    projectId: textIn(unfolded, ...listing.project) ?? emptyTextIn(unfolded, listing.project),
    userId: (listing.user && textIn(unfolded, listing.user)) || null,
    metadata: pick(unfolded, listing.metadata, listing.types),
    values: pick(unfolded, listing.values, listing.types),
  };
}

/** What is absent is null, as in upstream's samples. */
function pick(entry: JsonObject, keys: Listing['metadata'], types: Listing['types'] = {}): Values {
  return Object.fromEntries(
    keys.map((key) => {
      const [name, from] = typeof key === 'string' ? [key, key] : key;
      const value = entry[from] ?? null;
      const type = types[from];
      return [name, type === undefined ? value : asSdkType(value, type)];
    }),
  );
}

/** What belongs to a service itself may have an empty text for its project. */
function emptyTextIn(entry: JsonObject, keys: Listing['project']): '' | null {
  return keys.some((key) => entry[key] === '') ? '' : null;
}
