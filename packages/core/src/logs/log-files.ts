/**
 * Log files of one thread: whole lines, appended, written in blocks, opened again on request (log rotation).
 *
 * Several threads and processes may write to one file: the system appends each block in one piece.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';

/** How a log file is written. */
export interface LogFileOptions {
  /** Lines are kept until they have so many bytes. 0: every line is written at once. Default 16,384. */
  readonly bufferBytes?: number;
  /** Longest time that a line is kept, in milliseconds. Default 1,000. */
  readonly flushMs?: number;
  /** Permissions of a file that is created. Default 0o640. */
  readonly mode?: number;
}

/** A file that lines are appended to. */
export interface LogFile {
  readonly path: string;
  /** @param line with its line end. */
  write(line: string): void;
  /** Writes what is kept. A failure (disk full) loses it, and the next line is tried again. */
  flush(): void;
}

/** The log files of one thread; the same path is one file. */
export class LogFiles {
  readonly #files: Map<string, AppendedFile> = new Map();

  /**
   * Opens a file, or answers the one that is open under this path.
   *
   * @throws the error of the system when it cannot be opened.
   */
  open(path: string, options: LogFileOptions = {}): LogFile {
    const absolute = resolve(path);
    let file = this.#files.get(absolute);
    if (file === undefined) {
      file = new AppendedFile(absolute, options);
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
  }
}

class AppendedFile implements LogFile {
  readonly path: string;
  readonly #bufferBytes: number;
  readonly #flushMs: number;
  readonly #mode: number;
  #fd: number;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, { bufferBytes = 16_384, flushMs = 1_000, mode = 0o640 }: LogFileOptions) {
    this.path = path;
    this.#bufferBytes = bufferBytes;
    this.#flushMs = flushMs;
    this.#mode = mode;
    this.#fd = openSync(path, 'a', mode);
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= this.#bufferBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#flushMs).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === '' || this.#fd < 0) return;
    const bytes = Buffer.from(this.#lines, 'utf8');
    this.#lines = '';
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch {
      // A full disk must not end the server; there is nowhere to say it.
    }
  }

  reopen(): void {
    this.flush();
    let fd: number;
    try {
      fd = openSync(this.path, 'a', this.#mode);
    } catch {
      return;
    }
    const old = this.#fd;
    this.#fd = fd;
    closeSync(old);
  }

  close(): void {
    this.flush();
    closeSync(this.#fd);
    this.#fd = -1;
  }
}
