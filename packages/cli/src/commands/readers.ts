/**
 * How `cirque run` reads its configuration: from a file, or from its command line. Only the main thread does.
 */
import { resolve } from 'node:path';
import { problemLine } from '../config/gateway-config-error.ts';
import { loadGatewayConfig } from '../config/load.ts';
import { type QuickOptions, quickConfig } from '../config/quick-config.ts';
import type { Reading } from '../gateway/config-source.ts';

/** Reads the same file each time, whatever the current directory has become (`working_directory`). */
export function fileReader(conf: string): () => Reading {
  const path = resolve(conf);
  return () => {
    const warnings: string[] = [];
    const config = loadGatewayConfig(path, { warn: (warning) => warnings.push(problemLine(warning)) });
    return { config, warnings };
  };
}

/** What the command line says never changes. */
export function quickReader(options: QuickOptions): () => Reading {
  return () => ({ config: quickConfig(options), warnings: [] });
}
