/**
 * Build settings of every published package: one bundled ESM file with a source map.
 * Declarations come from `tsc -p tsconfig.build.json`, because tsup cannot emit them with TypeScript 7.
 */
import { defineConfig } from 'tsup';

export const settings: {
  entry: string[];
  format: 'esm';
  target: string;
  platform: 'node';
  sourcemap: boolean;
  clean: boolean;
  dts: boolean;
  silent: boolean;
} = {
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'node22.19',
  platform: 'node',
  sourcemap: true,
  clean: true,
  dts: false,
  silent: true,
};

export default defineConfig(settings);
