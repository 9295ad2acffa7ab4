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
    // Vitest would leave one processor unused; many tests only wait for processes and deadlines.
    maxWorkers: 2,
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
});
