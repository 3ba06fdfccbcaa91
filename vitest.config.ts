import { defineConfig } from 'vitest/config';

/**
 * Four rings, one project each. A test's ring is in its file name:
 * `x.test.ts` unit, `x.integration.test.ts`, `x.e2e.test.ts`, `x.browser.test.ts`.
 */
const ring = (name: string, include: string[], exclude: string[], timeout: number, extra = {}) => ({
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
    testTimeout: timeout,
    hookTimeout: timeout,
    ...extra,
  },
});

/** Files with servers of their own, which mostly wait for them. */
const sideBySide = { maxWorkers: 2, pool: 'forks' as const };

export default defineConfig({
  test: {
    projects: [
      ring('unit', ['**/*.test.ts', '**/*.test.tsx'], ['**/*.{integration,e2e,browser}.test.ts'], 30_000),
      ring('integration', ['**/*.integration.test.ts'], [], 120_000, {
        maxWorkers: 2,
        globalSetup: ['tools/bundles.setup.ts'],
      }),
      ring('e2e', ['e2e/**/*.e2e.test.ts'], [], 300_000, sideBySide),
      ring('browser', ['e2e/**/*.browser.test.ts'], [], 300_000, sideBySide),
    ],
  },
});
