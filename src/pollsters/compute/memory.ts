import type { Row, Table } from './domain-pollsters.ts';
import { SHUT_OFF } from './domain-state.ts';
import type { InstanceSaid } from './families.ts';

const mib = { unit: 'MiB', float: true } as const;

function toMib(kib: bigint | undefined): number | undefined {
  return kib === undefined ? undefined : Number(kib) / 1024;
}

/** libvirt's counters of swapped memory come in pairs; one alone is not believed, as upstream does. */
function swapped(key: 'swap_in' | 'swap_out'): Row<InstanceSaid> {
  return {
    ...mib,
    type: 'cumulative',
    help: `Memory that the guest has swapped ${key === 'swap_in' ? 'in' : 'out'}, as its balloon driver says.`,
    read({ stats: { balloon } }) {
      return balloon['swap_in'] === undefined || balloon['swap_out'] === undefined ? undefined : toMib(balloon[key]);
    },
  };
}

export const memory: Table<InstanceSaid> = {
  memory: {
    ...mib,
    type: 'gauge',
    help: 'Memory that the balloon leaves to the guest (balloon.current).',
    stopped: 'reported',
    read({ instance, stats: { state, balloon } }) {
      if (state === SHUT_OFF) return toMib(balloon['maximum']);
      // Without a balloon libvirt repeats what the domain was defined with; nobody has measured it.
      return instance.devices.balloon ? toMib(balloon['current']) : undefined;
    },
  },
  'memory.available': {
    ...mib,
    type: 'gauge',
    help: 'Memory that the guest sees, as its balloon driver says (balloon.available).',
    read: ({ stats }) => toMib(stats.balloon['available']),
  },
  'memory.usage': {
    ...mib,
    type: 'gauge',
    help: 'Memory in use: balloon.available less balloon.usable, or less balloon.unused where that is not told.',
    read({ stats: { balloon } }) {
      const { available, usable, unused } = balloon;
      const free = usable ?? unused;
      return available === undefined || free === undefined ? undefined : toMib(available - free);
    },
  },
  'memory.resident': {
    ...mib,
    type: 'gauge',
    help: 'Memory of the QEMU process on the host (balloon.rss).',
    read: ({ stats }) => toMib(stats.balloon['rss']),
  },
  'memory.swap.in': swapped('swap_in'),
  'memory.swap.out': swapped('swap_out'),
};
