/**
 * The log files of one thread, by path; all of them are opened again, flushed and closed together.
 */
import { resolve } from 'node:path';
import { AppendFile, type LogFailure, type LogFileOptions } from './append-file.ts';
import type { LogOwner } from './open-log.ts';

/** A file that lines are appended to. */
export type LogFile = Pick<AppendFile, 'path' | 'write' | 'flush'>;

/** The log files of one thread; the same path is one file. What is kept in memory is written when the process exits. */
export class LogFiles {
  /** Whom files that are created from now on belong to, where root creates them. Default: root. */
  owner: LogOwner | undefined;
  /** Files that cannot be opened are no error from now on: lines are lost until it works. Default false. */
  lenient = false;
  readonly #files: Map<string, AppendFile> = new Map();
  readonly #onFailure: LogFailure;
  readonly #flush = (): void => this.flush();

  /** @param onFailure hears of files that cannot be opened again, or written. Default: nobody does. */
  constructor(onFailure: LogFailure = () => {}) {
    this.#onFailure = onFailure;
  }

  /**
   * Opens a file, or answers the one that is open under this path, whatever the options.
   *
   * @throws the error of the system when it cannot be opened, unless `lenient`.
   */
  open(path: string, options: LogFileOptions = {}): LogFile {
    const absolute = resolve(path);
    let file = this.#files.get(absolute);
    if (file === undefined) {
      const { owner, lenient } = this;
      file = new AppendFile(absolute, { ...options, owner, lenient }, this.#onFailure);
      if (this.#files.size === 0) process.on('exit', this.#flush);
      this.#files.set(absolute, file);
    }
    return file;
  }

  /** Opens every file again: after they were renamed, new ones are made. A file that cannot be opened stays as it is. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }

  flush(): void {
    for (const file of this.#files.values()) file.flush();
  }

  /** Writes what is kept, and closes. */
  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
    process.off('exit', this.#flush);
  }
}
