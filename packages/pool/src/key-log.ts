/**
 * Writes the secrets of TLS connections to a file, so that captured traffic can be read: for debugging only.
 *
 * The format is that of NSS, as SSLKEYLOGFILE of browsers and curl.
 */
import { appendFileSync } from 'node:fs';

/** A file that lines are appended to, readable by its owner only. */
export class KeyLog {
  readonly #path: string;
  #failed = false;

  /** @throws what the system says when the file cannot be written. */
  constructor(path: string) {
    this.#path = path;
    this.#append('');
  }

  /** Appends a line. A file that can no longer be written is told once, as a process warning. */
  readonly write = (line: Buffer): void => {
    try {
      this.#append(line);
    } catch (cause) {
      if (this.#failed) return;
      this.#failed = true;
      process.emitWarning(`the key log ${this.#path} cannot be written: ${String(cause)}`, 'CirqueWarning');
    }
  };

  #append(bytes: Buffer | string): void {
    appendFileSync(this.#path, bytes, { mode: 0o600 });
  }
}
