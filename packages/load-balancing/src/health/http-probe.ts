/**
 * One HTTP/1.1 connection to a backend, and requests on it, by undici.
 *
 * undici speaks HTTP; connecting and all deadlines are ours, because its own are only good to about a second. It is
 * loaded at the first use: who checks by TCP only never pays for it.
 */
import type { Socket } from 'node:net';
import { CirqueError, fromNodeError } from '@cirque/error';
import { Timer } from '@cirque/timeout';
import { type Address, formatAddress } from '@cirque/transport';
import type { Client, Dispatcher } from 'undici';
import type { TimeSource } from '../time-source.ts';
import type { ConnectBackend } from './connect-backend.ts';

/** An idle connection is closed after this, unless the backend names another time. */
const KEEP_ALIVE_MS = 60_000;

/** What is sent. */
export interface ProbeRequest {
  readonly method: string;
  readonly path: string;
  /** With the Host field. */
  readonly headers: Readonly<Record<string, string>>;
  /** Asks the backend to close the connection afterwards. */
  readonly last: boolean;
}

/** Where and how long. */
export interface ProbeOptions {
  readonly address: Address;
  readonly connect: ConnectBackend;
  readonly connectionTimeoutMs: number;
  /** Longest wait for the whole head, and then for each further piece of the body. */
  readonly readTimeoutMs: number;
  readonly time: TimeSource;
}

/** The head of a backend's answer. */
export interface HttpCheckResponse {
  readonly statusCode: number;
  /** Names in lower case; fields that came several times as a list. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The body of a backend's answer, to be read once. Waits for each piece for `readTimeoutMs` at the most. */
export interface ProbeBody {
  /** Reads to the end. */
  drain(): Promise<void>;
  /** Reads to the end, or up to so many bytes. Not complete: there is more, and the connection is of no further use. */
  read(maxBytes: number): Promise<{ readonly bytes: Buffer; readonly complete: boolean }>;
}

/** Judges an answer and reads its body, all of it or up to where the connection is given up. */
export type HandleResponse<T> = (response: HttpCheckResponse, body: ProbeBody) => Promise<T>;

/** A connection that is opened by its first request and serves one request at a time. */
export class HttpProbe {
  readonly #options: ProbeOptions;
  /** Ends connecting when the probe is destroyed. */
  readonly #ended = new AbortController();
  #client: Client | undefined;
  #request: AbortController | undefined;
  readonly #readTimer: Timer;
  #connected = false;
  #served = 0;
  #answered = false;

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.#readTimer = new Timer(() => this.#onReadTimeout(), options.time.wheel);
  }

  /** True when the last request failed without an answer on a connection that had served others: it had gone stale. */
  get wasStale(): boolean {
    return this.#served > 0 && !this.#answered;
  }

  /** Sends the request and hands the answer over. What `handle` resolves with; rejects with CirqueError. */
  async send<T>(request: ProbeRequest, signal: AbortSignal, handle: HandleResponse<T>): Promise<T> {
    const controller = new AbortController();
    const onAbort = (): void => {
      controller.abort(signal.reason);
      void this.destroy();
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    this.#request = controller;
    this.#answered = false;
    try {
      const result = await this.#exchange(request, controller.signal, handle);
      this.#served += 1;
      return result;
    } catch (error) {
      throw fromNodeError(error, 'read', 'Upstream', formatAddress(this.#options.address));
    } finally {
      this.#readTimer.clear();
      this.#request = undefined;
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Closes the connection, whatever its state. */
  async destroy(): Promise<void> {
    this.#readTimer.close();
    this.#ended.abort(CirqueError.internal('ConnectionClosed', 'health check given up'));
    await this.#client?.destroy();
  }

  async #exchange<T>(request: ProbeRequest, signal: AbortSignal, handle: HandleResponse<T>): Promise<T> {
    this.#client ??= await this.#createClient();
    if (this.#connected) this.#readTimer.set(this.#options.readTimeoutMs);
    const { method, path, headers } = request;
    const response = await this.#client.request({
      method: method as Dispatcher.HttpMethod,
      path,
      headers,
      signal,
      reset: request.last,
    });
    this.#answered = true;
    this.#readTimer.clear();
    const { body, headers: fields, statusCode } = response;
    // Giving the connection up after a bad verdict ends the body with an error that nobody waits for.
    body.on('error', () => undefined);
    return handle(
      { statusCode, headers: fields },
      {
        drain: async () => {
          await this.#read(body, 0);
        },
        read: (maxBytes) => this.#read(body, maxBytes),
      },
    );
  }

  /** Up to so many bytes; 0: to the end, and nothing is kept. */
  async #read(body: AsyncIterable<Buffer>, maxBytes: number): Promise<{ bytes: Buffer; complete: boolean }> {
    const pieces: Buffer[] = [];
    let length = 0;
    this.#readTimer.set(this.#options.readTimeoutMs);
    for await (const piece of body) {
      this.#readTimer.set(this.#options.readTimeoutMs);
      if (maxBytes === 0) continue;
      pieces.push(piece);
      length += piece.length;
      if (length > maxBytes) break;
    }
    this.#readTimer.clear();
    return { bytes: Buffer.concat(pieces, Math.min(length, maxBytes)), complete: length <= maxBytes || maxBytes === 0 };
  }

  async #createClient(): Promise<Client> {
    const { Client: UndiciClient } = await import('undici');
    const { address, connect, connectionTimeoutMs, readTimeoutMs } = this.#options;
    // The origin is only a name here: `connect` knows where to go, and the Host field is given with each request.
    return new UndiciClient('http://backend', {
      connect: (_, callback) => {
        this.#connected = false;
        connect(address, connectionTimeoutMs, this.#ended.signal).then(
          (socket) => {
            this.#connected = true;
            socket.once('close', () => {
              this.#connected = false;
            });
            if (this.#request !== undefined) this.#readTimer.set(readTimeoutMs);
            callback(null, socket as Socket);
          },
          (error: Error) => callback(error, null),
        );
      },
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
  }

  #onReadTimeout(): void {
    const { readTimeoutMs } = this.#options;
    this.#request?.abort(CirqueError.upstream('ReadTimedout', `nothing within ${readTimeoutMs} ms`));
  }
}
