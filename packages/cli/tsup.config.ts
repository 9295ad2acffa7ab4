import { settings } from '@cirque-internal/config/tsup';
import { defineConfig } from 'tsup';

export default defineConfig({ ...settings, entry: ['src/index.ts', 'src/bin.ts'] });
