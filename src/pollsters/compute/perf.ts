import type { Row, Table } from './domain-pollsters.ts';
import type { InstanceSaid } from './families.ts';

/** Counted only for domains with `<perf>` events. They grow for ever, and upstream calls them gauges nevertheless. */
function perfEvent(event: string): Row<InstanceSaid> {
  const help = `libvirt's counter perf.${event}; only where the domain has that event switched on.`;
  return { type: 'gauge', unit: '', help, read: ({ stats }) => stats.perf[event] };
}

export const perf: Table<InstanceSaid> = {
  'perf.cpu.cycles': perfEvent('cpu_cycles'),
  'perf.instructions': perfEvent('instructions'),
  'perf.cache.references': perfEvent('cache_references'),
  'perf.cache.misses': perfEvent('cache_misses'),
};
