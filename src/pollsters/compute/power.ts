import type { Table } from './domain-pollsters.ts';
import type { InstanceSaid } from './families.ts';

export const power: Table<InstanceSaid> = {
  'power.state': {
    type: 'gauge',
    unit: '',
    stopped: 'reported',
    read: ({ stats }) => stats.state,
  },
};
