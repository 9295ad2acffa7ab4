/**
 * A WebSocket as the tests use it, over whatever carries it; and the one of `ws` over HTTP/1.1.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface Talker {
  /** The subprotocol that was agreed on; empty when none was. */
  readonly protocol: string;
  /** `CODE REASON` when it has closed; 1006 when there was no closing handshake. */
  readonly closed: Promise<string>;
  send(message: string | Buffer): void;
  /** The next message, in the order of their coming. Rejects when it closes before. */
  receive(): Promise<Buffer>;
  /** Resolves with the data of the pong. */
  ping(data: string): Promise<string>;
  close(code: number, reason: string): void;
  /** Breaks the connection, or the stream. */
  terminate(): void;
}

/** Messages that have come, and who waits for them. */
export class MessageInbox {
  #messages: Buffer[] = [];
  #waiting: PromiseWithResolvers<Buffer>[] = [];
  #over: string | undefined;

  put(message: Buffer): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#messages.push(message);
    else waiter.resolve(message);
  }

  take(): Promise<Buffer> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    const waiter = Promise.withResolvers<Buffer>();
    if (this.#over !== undefined) waiter.reject(new Error(`no more messages: ${this.#over}`));
    else this.#waiting.push(waiter);
    return waiter.promise;
  }

  end(why: string): void {
    this.#over = why;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error(`no more messages: ${why}`));
  }
}

export class WsTalker implements Talker {
  readonly closed: Promise<string>;
  readonly #socket: WebSocket;
  readonly #inbox: MessageInbox = new MessageInbox();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.closed = promise;
    socket.on('message', (data: Buffer) => this.#inbox.put(data));
    socket.on('error', () => undefined); // the close tells
    socket.on('close', (code, reason) => {
      const end = `${code} ${reason.toString()}`;
      this.#inbox.end(end);
      resolve(end);
    });
  }

  /** @throws the status of the answer when it is not 101. */
  static async open(url: string, protocols: readonly string[], options: WebSocket.ClientOptions): Promise<WsTalker> {
    const socket = new WebSocket(url, [...protocols], { handshakeTimeout: 5_000, ...options });
    const talker = new WsTalker(socket);
    const refused = Promise.withResolvers<never>();
    socket.on('unexpected-response', (request, { statusCode }) => {
      request.destroy();
      refused.reject(new Error(`status ${statusCode}`));
    });
    await Promise.race([once(socket, 'open'), refused.promise]);
    return talker;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  send(message: string | Buffer): void {
    this.#socket.send(message);
  }

  receive(): Promise<Buffer> {
    return this.#inbox.take();
  }

  async ping(data: string): Promise<string> {
    const pong = once(this.#socket, 'pong');
    this.#socket.ping(data);
    return String((await pong)[0]);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
