/**
 * One file that lines are appended to, in blocks; it can be opened again after it was renamed.
 *
 * Several threads and processes may write to one file: the system appends each block in one piece.
 */
import { closeSync, writeSync } from 'node:fs';
import { LOG_MODE, type LogOwner, openLog } from './open-log.ts';

/** How a log file is written. */
export interface LogFileOptions {
  /** Lines are kept until they have so many bytes. 0: every line is written at once. Default 16,384. */
  readonly bufferBytes?: number;
  /** Longest time that a line is kept, in milliseconds. Default 1,000. */
  readonly flushMs?: number;
  /** Permissions of a file that is created. Default 0o640. */
  readonly mode?: number;
}

/** What the process around a log file adds to its options. */
export interface AppendFileOptions extends LogFileOptions {
  /** Whom a file that is created belongs to, where root creates it. Default: root. */
  readonly owner?: LogOwner | undefined;
  /** A file that cannot be opened is no error: lines are lost until it can be opened again. Default false. */
  readonly lenient?: boolean;
}

/** Hears that a file cannot be opened or written; once, until it works again. */
export type LogFailure = (path: string, error: unknown) => void;

const LINE_END = 0x0a;
/** Room in a block for the line that fills it up. */
const SPARE_BYTES = 4_096;
/** A character of a string is that much UTF-8 at the most. */
const BYTES_PER_CHARACTER = 3;

/** An open log file. */
export class AppendFile {
  readonly path: string;
  readonly #bufferBytes: number;
  readonly #flushMs: number;
  readonly #mode: number;
  readonly #owner: LogOwner | undefined;
  readonly #onFailure: LogFailure;
  #fd: number | undefined;
  #isClosed = false;
  /** The lines that are kept: `#block[0, #length)`. Used again and again, as writes are over when they return. */
  #block: Buffer | undefined;
  #length = 0;
  #timer: NodeJS.Timeout | undefined;
  #isTorn = false;
  #isFailing = false;

  /** @throws the error of the system when it cannot be opened. */
  constructor(path: string, options: AppendFileOptions = {}, onFailure: LogFailure = () => {}) {
    const { bufferBytes = 16_384, flushMs = 1_000, mode = LOG_MODE, owner, lenient = false } = options;
    this.path = path;
    this.#bufferBytes = bufferBytes;
    this.#flushMs = flushMs;
    this.#mode = mode;
    this.#owner = owner;
    this.#onFailure = onFailure;
    if (lenient) this.reopen();
    else this.#fd = openLog(path, mode, owner);
  }

  /** @param line with its line end. Lost when the file is not open. */
  write(line: string): void {
    if (this.#fd === undefined) return;
    this.#block ??= Buffer.allocUnsafeSlow(this.#bufferBytes + SPARE_BYTES);
    const most = line.length * BYTES_PER_CHARACTER;
    if (most > this.#block.length - this.#length) this.flush();
    if (most > this.#block.length) {
      this.#append(this.#fd, Buffer.from(line));
      return;
    }
    this.#length += this.#block.write(line, this.#length);
    if (this.#length >= this.#bufferBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#flushMs).unref();
  }

  /** Writes what is kept. A failure (disk full) loses it, and the next line is tried again. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [descriptor, block, length] = [this.#fd, this.#block, this.#length];
    if (length === 0 || descriptor === undefined || block === undefined) return;
    this.#length = 0;
    this.#append(descriptor, block.subarray(0, length));
  }

  /** Opens the path again. Where that fails the old file stays in use. */
  reopen(): void {
    if (this.#isClosed) return;
    this.flush();
    const old = this.#fd;
    try {
      this.#fd = openLog(this.path, this.#mode, this.#owner);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#isTorn = false;
    this.#isFailing = false;
    if (old !== undefined) closeSync(old);
  }

  /** Writes what is kept, and closes. Later lines are lost. */
  close(): void {
    this.flush();
    this.#isClosed = true;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #append(descriptor: number, lines: Buffer): void {
    // A line that was cut by a failure ends here, so that it does not spoil the next one.
    const bytes = this.#isTorn ? Buffer.concat([Buffer.of(LINE_END), lines]) : lines;
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(descriptor, bytes, at);
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
