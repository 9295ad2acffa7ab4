/**
 * A client connection of HTTP/1.1 that costs little: one request at a time, answers with a Content-Length.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface WireAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface WireTarget {
  readonly port: number;
  readonly tls?: boolean;
}

interface Waiting {
  resolve(answer: WireAnswer): void;
  reject(error: Error): void;
}

const HEAD_END = '\r\n\r\n';

export class WireConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;
  #closed = false;

  constructor({ port, tls = false }: WireTarget) {
    const target = { port, host: '127.0.0.1', noDelay: true };
    this.#socket = tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => {
      this.#closed = true;
      this.#fail(new Error('closed before the answer'));
    });
    this.#socket.on('data', (piece: Buffer) => {
      this.#received = this.#received.length === 0 ? piece : Buffer.concat([this.#received, piece]);
      this.#look();
    });
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** A GET, or any other bytes. Rejects when the connection closes first, or after the time. */
  async ask(path: string, timeoutMs: number, bytes?: string): Promise<WireAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>();
    if (this.#closed) throw new Error('closed before the request');
    this.#waiting = { resolve, reject };
    this.#socket.write(bytes ?? `GET ${path} HTTP/1.1\r\nHost: soak\r\n\r\n`, 'latin1');
    const timer = setTimeout(() => {
      this.#fail(new Error(`no answer within ${timeoutMs} ms`));
      this.destroy();
    }, timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #look(): void {
    const end = this.#received.indexOf(HEAD_END, 0, 'latin1');
    if (end === -1 || this.#waiting === undefined) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const bodyAt = end + HEAD_END.length;
    if (this.#received.length < bodyAt + length) return;
    const body = this.#received.subarray(bodyAt, bodyAt + length);
    this.#received = this.#received.subarray(bodyAt + length);
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve({ status: Number(head.slice(9, 12)), body });
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
