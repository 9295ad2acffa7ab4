/**
 * One request and its answer for a plain responder: collects the body on demand, writes the response, handles the
 * ways in which either can fail. Created per request; forgets the session as soon as the request is over.
 */
import { CirqueError, statusFor } from '@cirque/error';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { errorResponse } from '../http/error-response.ts';
import type { ServerSession, ServerSessionHandler } from '../http/server-session.ts';
import type { PlainRequest, PlainResponse } from './serve-http.ts';

/** What an exchange reports about itself. */
export interface ExchangeOptions {
  readonly maxBodyBytes: number;
  /** The responder failed, or answered with something that cannot be sent. */
  onFailure(error: CirqueError, request: PlainRequest): void;
}

/** The request as the responder sees it, and the session's handler behind it. */
export class ServeExchange implements PlainRequest, ServerSessionHandler {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderMap;
  readonly clientAddress: string | undefined;
  /** Bound, because responders take the request apart: `({ method, body }) => ...`. */
  readonly body: () => Promise<Buffer> = () => this.#readBody();
  readonly #options: ExchangeOptions;
  #session: ServerSession | undefined;
  /** The client has left while the responder was at work: the session hears when that ends. */
  #left: ServerSession | undefined;
  #body: PromiseWithResolvers<Buffer> | undefined;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #bodyError: CirqueError | undefined;

  constructor(session: ServerSession, options: ExchangeOptions) {
    const { method, target, headers } = session.requestHeader;
    this.method = method;
    this.target = target;
    this.headers = headers;
    this.clientAddress = session.digest.socket.remoteAddress;
    this.#options = options;
    this.#session = session;
    session.handler = this;
    // Until somebody asks for the body it stays where it is, and the client feels that.
    if (session.bodyLength !== 0) session.pause();
  }

  /** Sends the response, unless the request is over already. */
  answer(response: PlainResponse): void {
    const session = this.#session;
    if (session === undefined) {
      this.#leave();
      return;
    }
    let header: ResponseHeader;
    let body: Buffer;
    try {
      body = bodyOf(response);
      header = headerOf(response, body, this.method);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#over();
    session.writeHead(header, body.length === 0);
    if (body.length > 0) session.writeBody(body, 0, body.length, undefined);
    session.end();
  }

  /** The responder threw: an answer without body, and the connection closes. */
  fail(cause: unknown): void {
    const session = this.#session;
    if (session === undefined) {
      this.#leave();
      return;
    }
    const error = CirqueError.from(cause, 'InternalError');
    const status = statusFor(error);
    if (status >= 500) this.#options.onFailure(error, this);
    this.#refuse(session, error, status === 0 ? 500 : status);
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > this.#options.maxBodyBytes) this.#tooLarge();
    else this.#chunks.push(Buffer.from(buffer.subarray(start, end)));
  }

  onRequestEnd(): void {
    this.#body?.resolve(Buffer.concat(this.#chunks, this.#bytes));
    this.#chunks.length = 0;
  }

  onDownstreamDrain(): void {}

  onDownstreamError(error: CirqueError): void {
    const session = this.#session;
    const status = statusFor(error);
    this.#failBody(error);
    if (session?.writable === true && status > 0) {
      this.#refuse(session, error, status);
      return;
    }
    this.#left = session;
    this.#over();
  }

  /** The responder is done with a request whose client had left. */
  #leave(): void {
    this.#left?.abort(this.#bodyError ?? answeredAlready());
    this.#left = undefined;
  }

  #readBody(): Promise<Buffer> {
    if (this.#body !== undefined) return this.#body.promise;
    this.#body = Promise.withResolvers<Buffer>();
    // A responder that looks at the body later, or never, must not cause an unhandled rejection.
    this.#body.promise.catch(() => {});
    this.#startBody();
    return this.#body.promise;
  }

  #startBody(): void {
    const session = this.#session;
    if (session === undefined) this.#body?.reject(this.#bodyError ?? answeredAlready());
    else if (session.bodyLength === 0) this.#body?.resolve(Buffer.alloc(0));
    else if ((session.bodyLength ?? 0) > this.#options.maxBodyBytes) this.#tooLarge();
    else {
      if (session.expectContinue) session.writeHead(new ResponseHeader(100), false);
      session.resume();
    }
  }

  #tooLarge(): void {
    const session = this.#session;
    this.#chunks.length = 0;
    const context = `the request body has more than ${this.#options.maxBodyBytes} bytes`;
    const error = CirqueError.http(413, context, { source: 'Downstream' });
    this.#failBody(error);
    if (session !== undefined) this.#refuse(session, error, 413);
  }

  #refuse(session: ServerSession, error: CirqueError, status: number): void {
    this.#over();
    this.#failBody(error);
    if (session.responseStarted || !session.writable) {
      session.abort(error);
      return;
    }
    session.disableKeepAlive();
    session.writeHead(errorResponse(status), true);
    session.end();
  }

  #failBody(error: CirqueError): void {
    this.#bodyError ??= error;
    this.#body?.reject(error);
  }

  #over(): void {
    this.#session = undefined;
  }
}

function answeredAlready(): CirqueError {
  return CirqueError.internal('InternalError', 'the request was answered already, its body is gone');
}

function bodyOf({ body }: PlainResponse): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  throw CirqueError.internal('InternalError', `the body of a response must be a string or bytes, got ${typeof body}`);
}

function headerOf({ status = 200, headers = {} }: PlainResponse, body: Buffer, method: string): ResponseHeader {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw CirqueError.internal(
      'InternalError',
      `the status of a response must be from 200 to 599, got ${String(status)}`,
    );
  }
  const map = HeaderMap.from(headers);
  // HEAD and 304 may announce the length of what a GET would have brought.
  const announces = body.length === 0 && (method === 'HEAD' || status === 304) && map.has('content-length');
  if (!announces && status !== 304) map.set('Content-Length', String(body.length));
  return new ResponseHeader(status, map);
}
