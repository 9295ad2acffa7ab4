/**
 * A client that sends exactly the bytes it is given and shows exactly the bytes that came back.
 *
 * For tests of servers: what no HTTP client would send, and what every HTTP client would hide.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { ByteInbox, type CloseKind, type Pattern } from './byte-inbox.ts';
import { toBytes } from './feed.ts';

/** Where to connect: TCP (host default 127.0.0.1) or a unix socket. */
export type RawAddress = { readonly port: number; readonly host?: string } | { readonly path: string };

export class RawClient {
  readonly socket: Socket;
  readonly #inbox: ByteInbox;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#inbox = new ByteInbox(socket);
  }

  /** Connects, with half-close allowed and Nagle's algorithm off. Rejects with Node's error when it cannot. */
  static connect(address: RawAddress): Promise<RawClient> {
    const target = 'path' in address ? { path: address.path } : { host: '127.0.0.1', ...address };
    const options: NetConnectOpts = { ...target, allowHalfOpen: true, noDelay: true };
    return new Promise((resolve, reject) => {
      const socket = connect(options);
      const client = new RawClient(socket);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(client);
      });
    });
  }

  /** Everything received so far, read or not. */
  get received(): Buffer {
    return this.#inbox.bytes;
  }

  /** The same as Latin-1 text. */
  get text(): string {
    return this.#inbox.text;
  }

  /** What `read` has not passed yet. */
  get unread(): string {
    return this.#inbox.unread;
  }

  /** How the server ended the connection; `undefined` while it is open. */
  get closeKind(): CloseKind | undefined {
    return this.#inbox.closeKind;
  }

  /** Sends the bytes (text as Latin-1) in one write; resolves when the system has taken them. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(toBytes(bytes), (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Sends each chunk in a turn of its own, so that the server most likely reads them one by one. */
  async sendChunks(chunks: Iterable<Uint8Array>): Promise<void> {
    for (const chunk of chunks) {
      await this.send(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Waits for the pattern in the unread bytes and returns them up to the end of the match, which are read then.
   * Rejects when the connection ends before, or after `timeoutMs` (default 5 s), showing what came instead.
   */
  waitFor(pattern: Pattern, timeoutMs?: number): Promise<string> {
    return this.#inbox.read(pattern, timeoutMs);
  }

  /** Waits until the server ends the connection: `'end'` by FIN, `'reset'` by RST. Default 5 s. */
  waitForClose(timeoutMs?: number): Promise<CloseKind> {
    return this.#inbox.closed(timeoutMs);
  }

  /** Sends FIN and goes on reading. */
  end(): void {
    this.socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Stops reading, so that the server comes to feel back-pressure. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Closes the socket; resolves when it is closed. */
  close(): Promise<void> {
    if (this.socket.closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.socket.once('close', () => resolve());
      this.socket.destroy();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
