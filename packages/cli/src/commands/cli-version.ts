/**
 * The version of this package, for `--version`.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Read when asked: the sources and the built file lie at different depths, the package name finds both. */
export function cliVersion(): string {
  const path = createRequire(import.meta.url).resolve('@cirque/cli/package.json');
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
  return version;
}
