import { codeIn, numberOrZeroIn, type Table } from './item-pollsters.ts';
import type { Listing } from './listing.ts';

export const shares: Listing = {
  name: 'manila_shares',
  service: ({ services }) => services.share,
  path: '/shares/detail',
  collection: 'shares',
  query: { all_tenants: 'True' },
  project: ['project_id'],
  metadata: [
    'name',
    'availability_zone',
    'share_type',
    'share_network_id',
    'status',
    'host',
    'is_public',
    ['protocol', 'share_proto'],
  ],
  values: ['size', 'status'],
  types: {
    availability_zone: 'text',
    share_type: 'text',
    share_network_id: 'text',
    status: 'text',
    host: 'text',
    is_public: 'boolean',
    share_proto: 'text',
    size: 'integer',
  },
};

const STATUS = {
  available: 1,
  creating: 2,
  deleting: 3,
  error: 4,
  error_deleting: 5,
  migrating: 6,
  extending: 7,
  shrinking: 8,
  reverting: 9,
  inactive: 10,
  manage_starting: 11,
  manage_error: 12,
  unmanage_starting: 13,
  unmanage_error: 14,
  unmanaged: 15,
  extending_error: 16,
  shrinking_error: 17,
  reverting_error: 18,
  awaiting_transfer: 19,
  backup_creating: 20,
  backup_restoring: 21,
  backup_restoring_error: 22,
  creating_from_snapshot: 23,
  shrinking_possible_data_loss_error: 24,
  migrating_to: 25,
  replication_change: 26,
};

export const share: Table = {
  'manila.share.size': { unit: 'GiB', help: 'Size of the share.', read: numberOrZeroIn('size') },
  'manila.share.status': {
    unit: 'status',
    help: `Status of the share: ${Object.entries(STATUS)
      .map(([word, code]) => `${code} ${word.replaceAll('_', ' ')}`)
      .join(', ')}, −1 anything else.`,
    read: codeIn(STATUS, 'status'),
  },
};
