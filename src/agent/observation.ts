/** What those who watch a polling agent are told. */
import type { DeliveryStats } from '../messaging/delivery-stats.ts';
import type { ServiceUse } from '../openstack/budget.ts';
import type { Content, Page } from '../prometheus/listener.ts';
import { healthFaults } from './health.ts';
import type { TaskState } from './polling-task.ts';
import { agentFamilies } from './self-metrics.ts';
import { agentStatus } from './status.ts';

/** Reads how an agent fares at the time it is asked; nothing is kept for it. */
export interface Observed {
  readonly hostname: string;
  readonly namespaces: readonly string[];
  readonly version: string;
  tasks(): readonly TaskState[];
  /** Undefined where samples go to no broker. */
  readonly delivery: DeliveryStats | undefined;
  serviceUse(): readonly ServiceUse[];
}

/** `/metrics`, `/health` and `/status` of an agent. */
export function observation(observed: Observed): Content {
  return {
    families: () => agentFamilies(observed),
    pages: {
      '/health': () => {
        const faults = healthFaults(observed);
        return jsonPage({ healthy: faults.length === 0, faults }, faults.length === 0 ? 200 : 503);
      },
      '/status': () => jsonPage(agentStatus(observed), 200),
    },
  };
}

function jsonPage(value: unknown, status: number): Page {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value, undefined, 2)}\n` };
}
