/**
 * Opens a log file for appending, also as root on behalf of the user that the server becomes.
 */
import { constants, fchownSync, openSync } from 'node:fs';
import { codeOfError } from '../listeners/bind-error.ts';

/** Permissions of a log file that is created, unless something else is said. */
export const LOG_MODE = 0o640;

/** Whom new log files belong to. */
export interface LogOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Opens it for appending. A file that is made here belongs to `owner`, who may open it again after a rotation; one that
 * was there keeps its owner, because its path may be a link that somebody else has put there.
 *
 * @returns a descriptor; the caller closes it.
 * @throws the error of the system.
 */
export function openLog(path: string, mode: number, owner: LogOwner | undefined): number {
  return (owner === undefined ? undefined : create(path, mode, owner)) ?? openSync(path, 'a', mode);
}

/** Undefined where there is something under this path already; links are not followed. */
function create(path: string, mode: number, { uid, gid }: LogOwner): number | undefined {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, mode);
  } catch (error) {
    if (codeOfError(error) === 'EEXIST') return undefined;
    throw error;
  }
  // Only root can give a file away, and needs to: later it is the owner who makes them.
  if (process.geteuid?.() === 0) fchownSync(descriptor, uid, gid);
  return descriptor;
}
