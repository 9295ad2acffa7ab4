/**
 * Test settings of every package. Packages are resolved to their sources (condition `@cirque/source`), also in
 * workers and forks that a test starts; setting conditions replaces vite's defaults, hence the three others.
 */
import { defineConfig } from 'vitest/config';

const conditions = ['@cirque/source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    execArgv: ['--conditions=@cirque/source'],
    // Generous, because the whole workspace is tested at once on whatever cores there are; a hanging test still ends.
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // More than processors, of which Vitest would even leave one unused: the longest tests wait for processes and deadlines.
    maxWorkers: 3,
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
});
