import { describeError } from '../errors.ts';
import type { Edge, Logger } from '../plugin.ts';
import type { Clock } from '../util/clock.ts';
import { EdgeGate } from './edge-gate.ts';
import type { PollingTask } from './polling-task.ts';
import type { LoadedDiscovery } from './registry.ts';

export interface EdgePollsParts {
  readonly discoveries: readonly LoadedDiscovery[];
  readonly tasks: readonly PollingTask[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Has the discoveries report their edges to the tasks whose pollsters they feed, until `stop` aborts. */
export function watchDiscoveries(parts: EdgePollsParts, stop: AbortSignal, kill: AbortSignal): void {
  const { clock, discoveries, log, tasks } = parts;
  const gate = new EdgeGate({ clock, log });
  for (const discovery of discoveries) {
    const fed = tasks.filter((task) => task.isFedBy(discovery));
    if (fed.length === 0) continue;
    const report = (edge: Edge) => {
      if (stop.aborted || !gate.admits(edge.resource.id)) return;
      for (const task of fed) task.offer(edge, discovery, kill);
    };
    try {
      discovery.discovery.watch?.(report, stop);
    } catch (error) {
      log.error({ discovery: discovery.name, reason: describeError(error) }, 'discovery cannot report edges');
    }
  }
}
