import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'packaging', testTimeout: 120_000, hookTimeout: 300_000 } });
