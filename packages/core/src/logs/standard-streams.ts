/**
 * Standard output and standard error of the whole process as a log file, whoever writes to them.
 */
import { closeSync, openSync } from 'node:fs';
import type { Sys } from '@cirque/sys';

/** Standard output and standard error. */
const BOTH = [1, 2] as const;

/**
 * Makes the standard streams mean the file under this path, which is opened for appending; in all threads at once. After a
 * rotation: calls it again.
 *
 * @param streams which of them. Default: both.
 * @returns false where there are no native calls: the streams stay what they are, and a file that was renamed goes on
 * being written to (a rotation must copy and truncate then).
 * @throws the error of the system when the file cannot be opened.
 */
export function sendStandardStreamsTo(path: string, sys: Sys | undefined, streams: readonly (1 | 2)[] = BOTH): boolean {
  if (sys === undefined) return false;
  const descriptor = openSync(path, 'a', 0o640);
  try {
    for (const stream of streams) sys.dup2(descriptor, stream);
  } finally {
    closeSync(descriptor);
  }
  return true;
}
