/** The service catalogue that comes with a token, and how an endpoint is chosen from it. */
import * as v from 'valibot';
import { matchingTypes } from './service-types.ts';

const catalogueSchema = v.array(
  v.object({
    type: v.optional(v.string()),
    name: v.nullish(v.string()),
    endpoints: v.optional(
      v.array(
        v.object({
          interface: v.string(),
          region_id: v.nullish(v.string()),
          region: v.nullish(v.string()),
          url: v.nullish(v.string()),
        }),
      ),
      [],
    ),
  }),
);

export interface Endpoint {
  readonly serviceType: string;
  readonly serviceName: string | undefined;
  /** `public`, `internal` or `admin`. */
  readonly interface: string;
  readonly region: string | undefined;
  /** Without a slash at the end. */
  readonly url: string;
}

export type Catalogue = readonly Endpoint[];

/** What endpoints are chosen by; what is left out does not matter. */
export interface EndpointFilter {
  readonly serviceType?: string;
  readonly serviceName?: string;
  readonly interface?: string;
  readonly region?: string;
}

/** Throws where it is no catalogue. */
export function readCatalogue(value: unknown): Catalogue {
  return v.parse(catalogueSchema, value).flatMap(({ type, name, endpoints }) =>
    endpoints.flatMap((endpoint) => {
      if (type === undefined || !endpoint.url) return [];
      return {
        serviceType: type,
        serviceName: name ?? undefined,
        interface: endpoint.interface,
        region: endpoint.region_id || endpoint.region || undefined,
        url: endpoint.url.replace(/\/+$/, ''),
      };
    }),
  );
}

/**
 * The endpoints that match, in the order of the catalogue. Those of one service type only: the wanted one where it has
 * any, else the first of those that may stand for it.
 */
export function findEndpoints(catalogue: Catalogue, filter: EndpointFilter): readonly Endpoint[] {
  const face = filter.interface === undefined ? undefined : plainInterface(filter.interface);
  const matching = catalogue.filter(
    (endpoint) =>
      (face === undefined || endpoint.interface === face) &&
      (filter.region === undefined || endpoint.region === filter.region) &&
      // A catalogue without names cannot be searched by name.
      (filter.serviceName === undefined ||
        endpoint.serviceName === undefined ||
        endpoint.serviceName === filter.serviceName),
  );
  if (filter.serviceType === undefined) return matching;
  for (const type of matchingTypes(filter.serviceType)) {
    const ofType = matching.filter(({ serviceType }) => serviceType === type);
    if (ofType.length > 0) return ofType;
  }
  return [];
}

/** `internalURL` is an older way to say `internal`. */
function plainInterface(name: string): string {
  return name.replace(/URL$/, '');
}
