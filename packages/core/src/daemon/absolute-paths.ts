/**
 * Paths of a configuration mean what they meant where the program was started, whatever directory it works in later.
 */
import { resolve } from 'node:path';
import type { KnownConfiguration, ServerConfiguration } from '../server/server-conf.ts';
import { startedInOfRole } from '../workers/worker-role.ts';

/** The settings that are paths, or may be. */
const PATHS = [
  'errorLog',
  'pidFile',
  'upgradeSock',
  'workingDirectory',
  'caFile',
  'accessLog',
] as const satisfies readonly (keyof KnownConfiguration)[];

/** The directory in which the program was started. Taken when the module is loaded: a daemon changes its directory after that. */
export const STARTED_IN: string = startedInOfRole() ?? currentDirectory();

/**
 * The configuration with absolute paths. Empty ones, and an access log that is no file, stay what they are.
 *
 * @param directory where relative paths begin. Default: the directory in which the program was started.
 */
export function absolutePaths(configuration: ServerConfiguration, directory: string = STARTED_IN): ServerConfiguration {
  const absolute = PATHS.map((name) => [name, absolutePath(configuration[name], directory)]);
  return Object.freeze({ ...configuration, ...Object.fromEntries(absolute) });
}

function absolutePath(path: string | boolean, directory: string): string | boolean {
  return typeof path === 'string' && path !== '' ? resolve(directory, path) : path;
}

/** The current directory may have been removed; then only absolute paths make sense. */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
