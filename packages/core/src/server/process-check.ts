/**
 * What `--test` tries of the process around a server: the user and the paths of the configuration. Nothing is made or kept.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { resolveIdentity } from '../daemon/identity.ts';
import { codeOfError } from '../listeners/bind-error.ts';
import type { ServerConfiguration } from './server-conf.ts';

/** Sentences about what would keep the process from starting, each naming the setting; empty when all is well. */
export function checkProcess(configuration: ServerConfiguration, daemon: boolean): readonly string[] {
  const { accessLog, errorLog, pidFile, upgradeSock, workingDirectory } = configuration;
  return [
    problemOf(() => void resolveIdentity(configuration)),
    problemOf(() => checkAppendable('error_log', errorLog)),
    problemOf(() => checkAppendable('access_log', typeof accessLog === 'string' ? accessLog : '')),
    problemOf(() => checkMakeable('upgrade_sock', upgradeSock)),
    ...(daemon
      ? [
          problemOf(() => checkMakeable('pid_file', pidFile)),
          problemOf(() => checkDirectory('working_directory', workingDirectory)),
        ]
      : []),
  ].filter((problem) => problem !== undefined);
}

function problemOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A file that is there must be writable; for one that is not, its directory. */
function checkAppendable(key: string, path: string): void {
  if (path === '') return;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) checkMakeable(key, path);
  else if (stats.isDirectory()) throw new Error(`${key} is ${path}, which is a directory: give the path of a file`);
  else access(key, path, constants.W_OK);
}

function checkMakeable(key: string, path: string): void {
  if (path === '') return;
  checkDirectory(key, dirname(path), path);
  access(key, dirname(path), constants.W_OK | constants.X_OK);
}

function checkDirectory(key: string, directory: string, path: string = directory): void {
  if (directory === '') return;
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new Error(`${key} is ${path}, but there is no directory ${directory}: make it, or choose another one`);
}

function access(key: string, path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw new Error(
      `${key}: ${path} cannot be written (${codeOfError(error)}): give this user the right to, or choose another path`,
    );
  }
}
