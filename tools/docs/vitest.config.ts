import shared from '@cirque-internal/config/vitest';
import { mergeConfig } from 'vitest/config';

export default mergeConfig(shared, { test: { name: 'docs', testTimeout: 120_000 } });
