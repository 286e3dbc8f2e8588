/** Aodh: how often alarms were found in which state. */
import type { Factory, Metadata, Pollster, Reading } from '../../plugin.ts';
import type { JsonObject } from '../../wire/value.ts';
import type { CentralOf } from './central.ts';
import { numberOf, objectIn } from './fields.ts';
import { itemsOf, refuseOthers } from './item-pollsters.ts';
import type { Listing } from './listing.ts';

export const alarms: Listing = {
  name: 'alarm',
  service: ({ services }) => services.alarm,
  path: '/metrics',
  collection: 'evaluation_results',
  query: { all_projects: 'true' },
  // Older ones lack it.
  optional: true,
  unfold: (result): JsonObject => ({ ...result, id: result['alarm_id'] ?? null }),
  project: ['project_id'],
  metadata: [],
  values: ['state_counters'],
};

const meter = {
  name: 'alarm.evaluation_result',
  type: 'gauge',
  unit: 'evaluation_result_count',
  help: 'How often the alarm was found in a state: a sample for each state, which is in the metadata.',
} as const;

export function evaluationResults(centralOf: CentralOf): Factory<Pollster> {
  return (host) => {
    centralOf(host);
    return {
      meters: [meter],
      discovery: alarms.name,
      *poll(resources): Generator<Reading> {
        const items = itemsOf(resources, alarms);
        /** By state: samples with the same metadata share one object. */
        const states = new Map<string, Metadata>();
        for (const { id, projectId, values } of items) {
          for (const [state, count] of Object.entries(objectIn(values, 'state_counters') ?? {})) {
            const volume = numberOf(count);
            const metadata = states.get(state) ?? { alarm_state: state };
            states.set(state, metadata);
            if (volume !== undefined) {
              yield { resourceId: id, volume: wholePart(volume), projectId, metadata };
            }
          }
        }
        refuseOthers(resources, items, alarms, meter.name);
      },
    };
  };
}

function wholePart(volume: number | bigint): number | bigint {
  return typeof volume === 'bigint' ? volume : Math.trunc(volume);
}
