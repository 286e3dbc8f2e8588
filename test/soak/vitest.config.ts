import { defineConfig } from 'vitest/config';

/** Long runs that are no part of `npm test`: `npm run soak`. */
export default defineConfig({
  test: {
    include: ['test/soak/*.soak.ts'],
    globalSetup: ['test/helpers/services.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
    disableConsoleIntercept: true,
  },
});
