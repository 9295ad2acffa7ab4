/**
 * The whole suite works on child processes and sockets: files may run side by side, tests within a file not.
 */
import shared from '@cirque-internal/config/vitest';
import { mergeConfig } from 'vitest/config';

export default mergeConfig(shared, {
  test: { name: 'e2e', include: ['test/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 30_000 },
});
