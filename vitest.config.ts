import { existsSync, globSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const others = ['e2e', 'bench', 'tools/config', 'tools/docs', 'tools/packaging', ...globSync('examples/*')];
const present = others.filter((folder) => existsSync(`${folder}/vitest.config.ts`));

export default defineConfig({
  test: {
    projects: ['packages/*', ...present],
    reporters: ['default', './tools/config/closing-line-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['**/packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/packages/*/src/index.ts'],
      reporter: ['text-summary', 'json-summary', 'lcovonly'],
    },
  },
});
