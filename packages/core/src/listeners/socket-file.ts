/**
 * The file of a unix socket, known by its inode: it is removed only while it still is that socket.
 */
import { lstatSync, type Stats, unlinkSync } from 'node:fs';
import { codeOfError } from './bind-error.ts';

/** Remembers which file a socket has. */
export class SocketFile {
  readonly #own: Stats | undefined;

  /** @param path where the file is now. When nothing is there, nothing will be removed. */
  constructor(path: string) {
    this.#own = lstatSync(path, { throwIfNoEntry: false });
  }

  /** Removes `path` when it is this file. A directory that may not be written keeps it. */
  removeFrom(path: string): void {
    const present = lstatSync(path, { throwIfNoEntry: false });
    if (present === undefined || present.ino !== this.#own?.ino || present.dev !== this.#own.dev) return;
    try {
      unlinkSync(path);
    } catch (error) {
      if (codeOfError(error) !== 'ENOENT' && codeOfError(error) !== 'EACCES') throw error;
    }
  }
}
