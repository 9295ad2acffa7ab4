/**
 * Servers and clients of node:http for the tests; everything that was opened is closed by {@link closeAll}.
 */
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

const closers: (() => void | Promise<void>)[] = [];

export function onClose(close: () => void | Promise<void>): void {
  closers.push(close);
}

export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** A server of node:http on a free port. */
export async function listen(
  listener?: RequestListener,
  prepare: (server: Server) => void = () => {},
): Promise<number> {
  const server = createServer(listener);
  prepare(server);
  return started(server);
}

/** Starts a server of any kind; answers its port. */
export async function started(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onClose(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly trailers: IncomingMessage['trailers'];
  readonly body: string;
  /** Interim responses. */
  readonly interim: readonly number[];
  readonly complete: boolean;
}

export interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
  /** Sent after `100 Continue`. */
  readonly expectContinue?: boolean;
}

/** Sends one request and reads its answer whole. */
export function ask(port: number, question: Question = {}): Promise<Answer> {
  const { method = 'GET', path = '/', headers = {}, body, expectContinue = false } = question;
  return new Promise((resolve, reject) => {
    const interim: number[] = [];
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
    sent.on('information', ({ statusCode }) => interim.push(statusCode));
    sent.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', () => {});
      response.on('close', () => {
        const { statusCode = 0, headers: fields, rawHeaders, trailers, complete } = response;
        const text = Buffer.concat(pieces).toString();
        resolve({ status: statusCode, headers: fields, rawHeaders, trailers, body: text, interim, complete });
      });
    });
    sent.on('error', reject);
    if (expectContinue) sent.on('continue', () => sent.end(body)).flushHeaders();
    else sent.end(body);
  });
}

/** A client that sends exactly these bytes. */
export async function rawSocket(port: number): Promise<Socket & { text: string; until(text: string): Promise<void> }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onClose(() => void socket.destroy());
  const client = Object.assign(socket, {
    text: '',
    async until(wanted: string): Promise<void> {
      while (!client.text.includes(wanted)) {
        if (socket.readableEnded) throw new Error(`the connection ended before ${wanted}: ${client.text}`);
        await new Promise<void>((resolve, reject) => {
          const done = (): void => {
            socket.off('data', done).off('end', done).off('error', reject);
            resolve();
          };
          socket.on('data', done).on('end', done).on('error', reject);
        });
      }
    },
  });
  socket.on('data', (chunk) => {
    client.text += chunk.toString('latin1');
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return client;
}

/** An origin that sends without end, as fast as it may; it counts what it was allowed to write. */
export class Flood {
  written = 0;
  closed = false;

  readonly respond: RequestListener = (_request, response) => {
    const piece = Buffer.alloc(65_536);
    const more = (): void => {
      let room = true;
      while (room && this.written < 200_000_000) {
        room = response.write(piece);
        this.written += piece.length;
      }
    };
    response.on('drain', more);
    response.on('close', () => {
      this.closed = true;
    });
    more();
  };

  /** Waits until nothing moves any more; answers how much was written. */
  async stalled(): Promise<number> {
    for (let before = -1; before !== this.written || this.written === 0; ) {
      before = this.written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return this.written;
  }
}

/** Waits for something that follows soon. */
export async function eventually(what: () => boolean, timeoutMs = 3_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!what()) {
    if (performance.now() > end) throw new Error(`did not come true: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
