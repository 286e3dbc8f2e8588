import type { Table } from './domain-pollsters.ts';
import type { InstanceSaid } from './families.ts';

export const power: Table<InstanceSaid> = {
  'power.state': {
    type: 'gauge',
    unit: '',
    help: "libvirt's state of the domain: 1 running, 3 paused, 4 shutting down, 5 shut off, 6 crashed, 7 suspended.",
    stopped: 'reported',
    read: ({ stats }) => stats.state,
  },
};
