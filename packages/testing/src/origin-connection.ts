/**
 * One connection that a scripted origin has accepted, and the steps a script is made of.
 *
 * Steps run in order. Whatever arrives is recorded, whether a step asks for it or not.
 */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ByteInbox, type CloseKind, type Pattern } from './byte-inbox.ts';
import { toBytes } from './feed.ts';

/**
 * `expect` waits for bytes, `send` sends some, `delayMs` waits; `do` ends the connection: `end` by FIN while reading
 * on, `close` both directions, `reset` by RST. `repeat` runs its steps until the client closes between two rounds.
 */
export type OriginStep =
  | { readonly expect: Pattern }
  | { readonly send: string | Uint8Array }
  | { readonly delayMs: number }
  | { readonly do: 'end' | 'close' | 'reset' }
  | { readonly repeat: readonly OriginStep[] };

export class OriginConnection {
  readonly socket: Socket;
  /** Counts from 0 in the order of acceptance. */
  readonly index: number;
  readonly #inbox: ByteInbox;
  readonly #closing = new AbortController();

  constructor(socket: Socket, index: number) {
    this.socket = socket;
    this.index = index;
    this.#inbox = new ByteInbox(socket);
    socket.once('close', () => this.#closing.abort());
  }

  /** Everything received on this connection. */
  get received(): Buffer {
    return this.#inbox.bytes;
  }

  /** The same as Latin-1 text. */
  get text(): string {
    return this.#inbox.text;
  }

  /** What `expect` has not passed yet. */
  get unread(): string {
    return this.#inbox.unread;
  }

  /** How the client ended the connection; `undefined` while it is open. */
  get closeKind(): CloseKind | undefined {
    return this.#inbox.closeKind;
  }

  /** Waits for the pattern and returns the unread bytes up to its end. Rejects when it does not come (default 5 s). */
  expect(pattern: Pattern, timeoutMs?: number): Promise<string> {
    return this.#inbox.read(pattern, timeoutMs);
  }

  /** Waits until the client ends the connection. Default 5 s. */
  waitForClose(timeoutMs?: number): Promise<CloseKind> {
    return this.#inbox.closed(timeoutMs);
  }

  /** Sends the bytes (text as Latin-1); resolves when the system has taken them, rejects when the client is gone. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(toBytes(bytes), (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Waits; ends early, without an error, when the connection closes. */
  async delay(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#closing.signal }).catch(ignoreAbort);
  }

  /** Sends FIN and goes on reading. */
  end(): void {
    this.socket.end();
  }

  /** Sends what is still buffered, then closes both directions. */
  close(): void {
    this.socket.destroySoon();
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /**
   * Runs the steps in order. Rejects when something expected does not come. That the client is gone when the script
   * sends is no error: tests tell it by `closeKind`.
   */
  async run(steps: readonly OriginStep[]): Promise<void> {
    for (const step of steps) {
      if ('expect' in step) await this.expect(step.expect);
      else if ('send' in step) await this.send(step.send).catch(ignoreGone);
      else if ('delayMs' in step) await this.delay(step.delayMs);
      else if ('repeat' in step) await this.#repeat(step.repeat);
      else this[step.do]();
    }
  }

  async #repeat(steps: readonly OriginStep[]): Promise<void> {
    while (await this.#hasMore()) await this.run(steps);
  }

  /** Waits, as long as it takes, for another byte (true) or the end of the connection (false). */
  async #hasMore(): Promise<boolean> {
    while (this.unread === '' && this.closeKind === undefined) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          for (const event of EVENTS) this.socket.off(event, done);
          resolve();
        };
        for (const event of EVENTS) this.socket.on(event, done);
      });
    }
    return this.unread !== '';
  }
}

const EVENTS = ['data', 'end', 'error', 'close'] as const;

/** The following steps find out for themselves: `expect` rejects, `repeat` ends. */
function ignoreGone(error: NodeJS.ErrnoException): void {
  if (!GONE.includes(error.code ?? '')) throw error;
}

const GONE = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
