/**
 * The file of a unix socket, known by its inode: it is removed only while it still is that socket.
 */
import { lstatSync, type Stats, unlinkSync } from 'node:fs';

/** Remembers which file a socket has. */
export class SocketFile {
  readonly #own: Stats | undefined;

  /** @param path where the file is now. When nothing is there, nothing will be removed. */
  constructor(path: string) {
    this.#own = lstatSync(path, { throwIfNoEntry: false });
  }

  /**
   * Removes `path` when it is this file. Never throws: who has given up the rights of root may not remove what root has
   * made, and a file that stays is replaced by the next server.
   */
  removeFrom(path: string): void {
    try {
      const present = lstatSync(path);
      if (present.ino === this.#own?.ino && present.dev === this.#own.dev) unlinkSync(path);
    } catch {
      // see above
    }
  }
}
