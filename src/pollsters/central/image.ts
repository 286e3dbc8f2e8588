import type { JsonObject } from '../../wire/value.ts';
import { numberIn, type Table } from './item-pollsters.ts';
import type { Listing } from './listing.ts';

export const images: Listing = {
  name: 'images',
  service: ({ services }) => services.image,
  path: '/images',
  collection: 'images',
  // Glance lists 25 at a time unless it is asked for more.
  query: { limit: '1000' },
  unfold: (image): JsonObject => ({ tags: [], ...image }),
  project: ['owner'],
  metadata: [
    'status',
    'visibility',
    'name',
    'container_format',
    'created_at',
    'disk_format',
    'updated_at',
    'min_disk',
    ['is_protected', 'protected'],
    'checksum',
    'min_ram',
    'tags',
    'virtual_size',
  ],
  values: ['size'],
  types: { protected: 'boolean', size: 'integer', tags: 'list' },
};

export const image: Table = {
  'image.size': {
    unit: 'B',
    help: 'Bytes that Glance stores of the image; no sample while nothing is uploaded.',
    read: numberIn('size'),
  },
};
