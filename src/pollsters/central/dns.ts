/** Designate: zones. */
import type { Factory, Pollster, Reading } from '../../plugin.ts';
import { askEach } from './ask-each.ts';
import type { Central, CentralOf } from './central.ts';
import { numberOf, objectIn } from './fields.ts';
import { codeIn, itemsOf, numberOrZeroIn, refuseOthers, type Table } from './item-pollsters.ts';
import type { Listing } from './listing.ts';

export const zones: Listing = {
  name: 'dns_zones',
  service: ({ services }) => services.dns,
  path: '/zones',
  collection: 'zones',
  project: ['project_id'],
  metadata: ['name', 'email', 'ttl', 'description', 'type', 'status', 'action', 'serial', 'pool_id'],
  values: ['status', 'ttl', 'serial'],
  types: { ttl: 'integer', serial: 'integer' },
};

export const zone: Table = {
  'dns.zone.status': {
    unit: 'status',
    help: 'Status of the zone: 1 active, 2 pending, 3 error, 4 deleted, −1 anything else.',
    read: codeIn({ active: 1, pending: 2, error: 3, deleted: 4 }, 'status'),
  },
  'dns.zone.ttl': { unit: 'second', help: 'Time to live of the zone.', read: numberOrZeroIn('ttl') },
  'dns.zone.serial': { unit: 'serial', help: 'Serial number of the zone.', read: numberOrZeroIn('serial') },
};

const meter = {
  name: 'dns.zone.recordsets',
  type: 'gauge',
  unit: 'recordset',
  help: 'Number of record sets in the zone.',
} as const;

export function recordsets(centralOf: CentralOf): Factory<Pollster> {
  return (host) => {
    const central = centralOf(host);
    return {
      meters: [meter],
      discovery: zones.name,
      async *poll(resources, ctx): AsyncGenerator<Reading> {
        const items = itemsOf(resources, zones);
        const answers = askEach(central, items, ctx, {
          what: meter.name,
          mayVanish: true,
          ask: ({ id }) => countRecordsets(central, id, ctx.signal),
        });
        for await (const [{ id, projectId, metadata }, volume] of answers) {
          yield { resourceId: id, volume, projectId, metadata };
        }
        refuseOthers(resources, items, zones, meter.name);
      },
    };
  };
}

/** Designate says how many there are with any of them, so that no more than one has to be fetched. */
async function countRecordsets(
  { services: { dns } }: Central,
  zoneId: string,
  signal: AbortSignal,
): Promise<number | bigint> {
  if (dns === undefined) return 0;
  const path = `/zones/${encodeURIComponent(zoneId)}/recordsets`;
  const answer = await dns.get(path, { query: { limit: 1 }, signal });
  const total = numberOf(objectIn(answer, 'metadata')?.['total_count']);
  if (total !== undefined) return total;
  let count = 0;
  for await (const page of dns.pages(path, 'recordsets', { signal })) count += page.length;
  return count;
}
