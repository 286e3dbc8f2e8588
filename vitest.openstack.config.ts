import { defineConfig } from 'vitest/config';

/** Against real services of OpenStack, which take minutes to install: `npm run test:openstack`. */
export default defineConfig({
  test: {
    include: ['test/**/*.real.ts'],
    globalSetup: ['test/helpers/openstack-services.ts'],
    testTimeout: 180_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
  },
});
