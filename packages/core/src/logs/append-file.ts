/**
 * One file that lines are appended to, in blocks; it can be opened again after it was renamed.
 *
 * Several threads and processes may write to one file: the system appends each block in one piece.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

/** How a log file is written. */
export interface LogFileOptions {
  /** Lines are kept until they have so many bytes. 0: every line is written at once. Default 16,384. */
  readonly bufferBytes?: number;
  /** Longest time that a line is kept, in milliseconds. Default 1,000. */
  readonly flushMs?: number;
  /** Permissions of a file that is created. Default 0o640. */
  readonly mode?: number;
}

/** Hears that a file cannot be opened or written; once, until it works again. */
export type LogFailure = (path: string, error: unknown) => void;

const LINE_END = 0x0a;

/** An open log file. */
export class AppendFile {
  readonly path: string;
  readonly #bufferBytes: number;
  readonly #flushMs: number;
  readonly #mode: number;
  readonly #onFailure: LogFailure;
  #fd: number;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;
  #isTorn = false;
  #isFailing = false;

  /** @throws the error of the system when it cannot be opened. */
  constructor(path: string, options: LogFileOptions = {}, onFailure: LogFailure = () => {}) {
    const { bufferBytes = 16_384, flushMs = 1_000, mode = 0o640 } = options;
    this.path = path;
    this.#bufferBytes = bufferBytes;
    this.#flushMs = flushMs;
    this.#mode = mode;
    this.#onFailure = onFailure;
    this.#fd = openSync(path, 'a', mode);
  }

  /** @param line with its line end. Lost when the file is closed. */
  write(line: string): void {
    if (this.#fd < 0) return;
    this.#lines += line;
    if (this.#lines.length >= this.#bufferBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#flushMs).unref();
  }

  /** Writes what is kept. A failure (disk full) loses it, and the next line is tried again. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === '' || this.#fd < 0) return;
    // A line that was cut by a failure ends here, so that it does not spoil the next one.
    const bytes = Buffer.from(this.#isTorn ? `\n${this.#lines}` : this.#lines, 'utf8');
    this.#lines = '';
    this.#append(bytes);
  }

  /** Opens the path again. Where that fails the old file stays in use. */
  reopen(): void {
    if (this.#fd < 0) return;
    this.flush();
    const old = this.#fd;
    try {
      this.#fd = openSync(this.path, 'a', this.#mode);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#isTorn = false;
    this.#isFailing = false;
    closeSync(old);
  }

  /** Writes what is kept, and closes. Later lines are lost. */
  close(): void {
    if (this.#fd < 0) return;
    this.flush();
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #append(bytes: Buffer): void {
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at);
      this.#isTorn = false;
      this.#isFailing = false;
    } catch (error) {
      if (at > 0) this.#isTorn = bytes[at - 1] !== LINE_END;
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#onFailure(this.path, error);
  }
}
