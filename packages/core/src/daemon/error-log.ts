/**
 * Opens the error log of a server before it has given up the rights of root.
 */
import { codeOfError } from '../listeners/bind-error.ts';
import { LOG_MODE, openLog } from '../logs/open-log.ts';
import type { Identity } from './identity.ts';

/**
 * Opens it for appending, see `openLog`.
 *
 * @returns a descriptor; the caller closes it.
 * @throws RangeError naming setting, path and reason.
 */
export function openErrorLog(path: string, owner: Identity | undefined): number {
  try {
    return openLog(path, LOG_MODE, owner);
  } catch (error) {
    throw new RangeError(
      `configuration error_log is ${JSON.stringify(path)}, which cannot be opened (${codeOfError(error)}): its directory must exist, and be writable`,
      { cause: error },
    );
  }
}
