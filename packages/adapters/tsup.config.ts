import { settings } from '@cirque-internal/config/tsup';
import { defineConfig } from 'tsup';

export default defineConfig({
  ...settings,
  entry: ['src/index.ts', 'src/http-proxy.ts', 'src/node.ts', 'src/fetch.ts', 'src/undici.ts'],
});
