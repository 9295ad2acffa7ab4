/**
 * Everything that arrives on a socket, and ways to wait for it.
 *
 * Shared by the raw client and the scripted origin. Text is Latin-1, so one character is one byte.
 */
import type { Socket } from 'node:net';
import { toBytes } from './feed.ts';

/** What to wait for: bytes, the same as text, or an expression matched against the bytes as Latin-1 text. */
export type Pattern = string | Uint8Array | RegExp;

/** How a connection ended: by FIN, by RST, or because it was closed on this side. */
export type CloseKind = 'end' | 'reset' | 'local';

const DEFAULT_TIMEOUT_MS = 5_000;
const SHOWN_CHARS = 500;

interface Waiter {
  /** Looks at the new state; true when it is done and can be forgotten. */
  check(): boolean;
}

export class ByteInbox {
  #buffer: Buffer = Buffer.alloc(1_024);
  #length = 0;
  #cursor = 0;
  #closeKind: CloseKind | undefined;
  #waiters: Waiter[] = [];

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#append(chunk);
      this.#wake();
    });
    socket.on('end', () => this.#close('end'));
    // A broken pipe is a reset that was noticed by writing.
    socket.on('error', () => this.#close('reset'));
    socket.on('close', () => this.#close('local'));
  }

  /** All bytes so far, whether read or not. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** All bytes so far as Latin-1 text. */
  get text(): string {
    return this.bytes.toString('latin1');
  }

  /** The bytes that `read` has not passed yet, as Latin-1 text. */
  get unread(): string {
    return this.#buffer.toString('latin1', this.#cursor, this.#length);
  }

  /** How the other side ended the connection; `undefined` while it is open. */
  get closeKind(): CloseKind | undefined {
    return this.#closeKind;
  }

  /**
   * Waits until the unread bytes contain the pattern, and returns them from the first to the end of the match, which
   * are read then. Rejects when the connection ends without, or after `timeoutMs` (default 5 s).
   */
  async read(pattern: Pattern, timeoutMs?: number): Promise<string> {
    const find = pattern instanceof RegExp ? this.#expressionFinder(pattern) : this.#bytesFinder(toBytes(pattern));
    let end = -1;
    await this.#wait(
      () => {
        end = find();
        if (end < 0 && this.#closeKind !== undefined) throw new Error(`connection closed (${this.#closeKind})`);
        return end >= 0;
      },
      `waiting for ${describe(pattern)}`,
      timeoutMs,
    );
    const text = this.#buffer.toString('latin1', this.#cursor, end);
    this.#cursor = end;
    return text;
  }

  /** Waits for the end of the connection and says how it ended. Rejects after `timeoutMs` (default 5 s). */
  async closed(timeoutMs?: number): Promise<CloseKind> {
    await this.#wait(() => this.#closeKind !== undefined, 'waiting for the connection to close', timeoutMs);
    return this.#closeKind as CloseKind;
  }

  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(2 * length);
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  /** Finds the offset behind the next match, -1 if there is none yet. */
  #expressionFinder(pattern: RegExp): () => number {
    const expression = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return () => {
      const match = expression.exec(this.unread);
      return match === null ? -1 : this.#cursor + match.index + match[0].length;
    };
  }

  /** The same for bytes, looking at each byte only once, so that megabytes can be waited for. */
  #bytesFinder(wanted: Buffer): () => number {
    let from = this.#cursor;
    return () => {
      const index = this.bytes.indexOf(wanted, Math.max(from, this.#cursor));
      from = Math.max(from, this.#length - wanted.length + 1);
      return index < 0 ? -1 : index + wanted.length;
    };
  }

  #wait(isDone: () => boolean, what: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        const shown = JSON.stringify(this.unread.slice(-SHOWN_CHARS));
        reject(new Error(`${reason} while ${what}; unread so far: ${shown}`));
      };
      const waiter: Waiter = {
        check: () => {
          try {
            if (!isDone()) return false;
            resolve();
          } catch (error) {
            fail((error as Error).message);
          }
          clearTimeout(timeout);
          return true;
        },
      };
      const timeout = setTimeout(() => {
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
        fail(`nothing within ${timeoutMs} ms`);
      }, timeoutMs);
      if (!waiter.check()) this.#waiters.push(waiter);
    });
  }

  #wake(): void {
    this.#waiters = this.#waiters.filter((waiter) => !waiter.check());
  }

  #close(kind: CloseKind): void {
    // A reset after the orderly end of one direction still is a reset.
    if (this.#closeKind !== undefined && kind !== 'reset') return;
    this.#closeKind = kind;
    this.#wake();
  }
}

function describe(pattern: Pattern): string {
  return pattern instanceof RegExp ? String(pattern) : JSON.stringify(toBytes(pattern).toString('latin1'));
}
