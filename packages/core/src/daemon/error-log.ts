/**
 * Opens the error log of a daemon before it has given up the rights of root.
 */
import { constants, fchownSync, openSync } from 'node:fs';
import { codeOfError } from '../listeners/bind-error.ts';
import type { Identity } from './identity.ts';

const MODE = 0o640;

/**
 * Opens it for appending. A file that is made here belongs to `owner`, who may open it again after a rotation; one that
 * was there keeps its owner, because its path may be a link that somebody else has put there.
 *
 * @returns a descriptor; the caller closes it.
 * @throws RangeError naming setting, path and reason.
 */
export function openErrorLog(path: string, owner: Identity | undefined): number {
  try {
    return create(path, owner) ?? openSync(path, 'a', MODE);
  } catch (error) {
    throw new RangeError(
      `configuration errorLog is ${JSON.stringify(path)}, which cannot be opened (${codeOfError(error)}): its directory must exist, and be writable`,
      { cause: error },
    );
  }
}

/** Undefined where there is something under this path already; links are not followed. */
function create(path: string, owner: Identity | undefined): number | undefined {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, MODE);
  } catch (error) {
    if (codeOfError(error) === 'EEXIST') return undefined;
    throw error;
  }
  if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
  return descriptor;
}
