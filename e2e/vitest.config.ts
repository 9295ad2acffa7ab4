/**
 * The whole suite works on child processes and sockets: files may run side by side, tests within a file not.
 */
import shared from '@cirque-internal/config/vitest';
import { mergeConfig } from 'vitest/config';

export default mergeConfig(shared, {
  test: {
    name: 'e2e',
    include: [
      'test/**/*.test.ts',
      'h2/**/*.test.ts',
      'peers/**/*.test.ts',
      'faults/**/*.test.ts',
      'integrity/**/*.test.ts',
      'stress/**/*.test.ts',
      'upgrade/**/*.test.ts',
      'threads/**/*.test.ts',
      'l4/**/*.test.ts',
    ],
    setupFiles: ['src/after-each-file.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // The deadlines are waited for in real time; the other files need not wait with them.
    maxWorkers: 3,
  },
});
