/**
 * One request that a fetch handler answers: its body as a stream, its response as it comes, and all ways to fail.
 */
import type { UnderlyingDefaultSource } from 'node:stream/web';
import { errorResponse, type ServerSession, type ServerSessionHandler } from '@cirque/core';
import { CirqueError, statusFor } from '@cirque/error';
import { ResponseHeader } from '@cirque/http';
import { headOfResponse, webRequest } from './web-message.ts';

/** See the file's head. It forgets the session when the request is over. */
export class ServedFetch implements ServerSessionHandler {
  readonly #handler: (request: Request) => Response | PromiseLike<Response>;
  readonly #report: (error: Error) => void;
  readonly #aborter = new AbortController();
  #session: ServerSession | undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  /** The client waits for `100 Continue`. */
  #clientWaits: boolean;
  #drained: PromiseWithResolvers<void> | undefined = undefined;

  /** @param report is told why a request was answered with a status of 500 or more, or cut. */
  constructor(
    session: ServerSession,
    handler: (request: Request) => Response | PromiseLike<Response>,
    report: (error: Error) => void,
  ) {
    this.#session = session;
    this.#handler = handler;
    this.#report = report;
    this.#clientWaits = session.expectContinue;
    session.handler = this;
    if (session.bodyLength !== 0) session.pause();
  }

  start(): void {
    this.#run().catch((error: unknown) => this.#fail(error));
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    const body = this.#body;
    if (body === undefined) return;
    // Before the piece is there: whoever waits for it may ask for more at once.
    this.#session?.pause();
    body.enqueue(new Uint8Array(buffer.subarray(start, end)));
  }

  onRequestEnd(): void {
    this.#body?.close();
    this.#body = undefined;
  }

  onDownstreamDrain(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  onDownstreamError(error: CirqueError): void {
    const session = this.#session;
    this.#over();
    this.#body?.error(error);
    this.#aborter.abort(error);
    if (session === undefined) return;
    const status = statusFor(error);
    if (session.writable && !session.responseStarted && status > 0) answer(session, status);
    else session.abort(error);
  }

  async #run(): Promise<void> {
    const session = this.#session as ServerSession;
    const response = await this.#handler(this.#request(session));
    const body = response.body as (AsyncIterable<Uint8Array> & ReadableStream<Uint8Array>) | null;
    if (this.#session === undefined) {
      await body?.cancel();
      return;
    }
    const header = headOfResponse(response);
    const bodiless = session.requestHeader.method === 'HEAD' || body === null;
    session.writeHead(header, bodiless);
    if (bodiless) await body?.cancel();
    else await this.#send(session, body);
    if (this.#session === undefined) return;
    this.#over();
    session.end();
  }

  async #send(session: ServerSession, body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of body) {
      if (this.#session === undefined) return;
      const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      const more = session.writeBody(bytes, 0, bytes.length, undefined);
      session.flush();
      if (!more) {
        this.#drained ??= Promise.withResolvers<void>();
        await this.#drained.promise;
      }
      if (this.#session === undefined) return;
    }
  }

  #request(session: ServerSession): Request {
    const { requestHeader, target, digest } = session;
    const body = session.bodyLength === 0 ? undefined : this.#makeBody();
    return webRequest(requestHeader, { tls: digest.ssl !== undefined, target, body, signal: this.#aborter.signal });
  }

  #makeBody(): ReadableStream<Uint8Array> {
    const source: UnderlyingDefaultSource<Uint8Array> = {
      start: (controller) => {
        this.#body = controller;
      },
      pull: () => this.#readOn(),
      cancel: () => {
        this.#body = undefined;
      },
    };
    // Nothing is read before the handler asks for it.
    return new ReadableStream(source, { highWaterMark: 0 });
  }

  #readOn(): void {
    const session = this.#session;
    if (session === undefined || this.#body === undefined) return;
    if (this.#clientWaits && !session.responseStarted) session.writeHead(new ResponseHeader(100), false);
    this.#clientWaits = false;
    session.resume();
  }

  #fail(thrown: unknown): void {
    const session = this.#session;
    if (session === undefined) return;
    const error = CirqueError.from(thrown, 'InternalError', 'Internal');
    const status = statusFor(error);
    this.#over();
    this.#aborter.abort(error);
    if (status === 0 || status >= 500) this.#report(error);
    if (session.responseStarted || !session.writable) session.abort(error);
    else answer(session, status === 0 ? 500 : status);
  }

  #over(): void {
    this.#session = undefined;
    this.#drained?.resolve();
  }
}

function answer(session: ServerSession, status: number): void {
  session.disableKeepAlive();
  session.writeHead(errorResponse(status), true);
  session.end();
}
