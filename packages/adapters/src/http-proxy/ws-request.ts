/**
 * One WebSocket of a proxy server in the manner of http-proxy.
 */
import type { IncomingMessage } from 'node:http';
import { type Duplex, PassThrough } from 'node:stream';
import type { CirqueError } from '@cirque/error';
import type { ResponseHeader } from '@cirque/http';
import type { Session } from '@cirque/proxy';
import type { ProxyRequest } from './proxy-request.ts';
import { ProxyResponse } from './proxy-response.ts';
import type { Settings } from './server-options.ts';
import { type ErrorHandler, ShimRequest } from './shim-request.ts';

/** What a tunnel tells its server. */
export interface WsListeners {
  proxyReqWs(proxied: ProxyRequest): unknown;
  /** The target has accepted; `bytes` gives what it sends, to whoever listens. */
  open(bytes: PassThrough): unknown;
  /** A tunnel that was open is over. */
  close(proxied: ProxyResponse, bytes: PassThrough): unknown;
  econnreset(error: Error): unknown;
  /** Undefined when nobody listens to errors. */
  readonly error: ErrorHandler | undefined;
}

/** See the file's head. */
export class WsRequest extends ShimRequest {
  protected override readonly written: undefined = undefined;
  readonly #socket: Duplex;
  readonly #listeners: WsListeners;
  #proxied: ProxyResponse | undefined = undefined;
  readonly #bytes: PassThrough = new PassThrough();

  constructor(request: IncomingMessage, socket: Duplex, settings: Settings, listeners: WsListeners) {
    super(request, settings);
    this.#socket = socket;
    this.#listeners = listeners;
  }

  protected override announce(proxied: ProxyRequest): void {
    this.#listeners.proxyReqWs(proxied);
  }

  override noteResponse(header: ResponseHeader): void {
    super.noteResponse(header);
    if (header.status !== 101) return;
    this.#proxied = new ProxyResponse(header, false, () => {});
    this.#listeners.open(this.#bytes);
  }

  /** What the target sends through the tunnel. */
  seen(bytes: Buffer | undefined): void {
    if (bytes !== undefined && this.#bytes.readableFlowing === true) this.#bytes.write(bytes);
  }

  override async failed(_session: Session, error: CirqueError): Promise<void> {
    const shown = this.errorFor(error);
    if (shown === undefined) {
      this.#listeners.econnreset(Object.assign(new Error(error.toString(), { cause: error }), { code: 'ECONNRESET' }));
      return;
    }
    if (this.#proxied !== undefined) return;
    const socket = this.#socket;
    const before = writtenTo(socket);
    this.#listeners.error?.(shown, this.target.given);
    if (socket.destroyed || (writtenTo(socket) === before && !socket.writableEnded)) return;
    // The listener has answered: that has to arrive, and nothing else.
    await new Promise<void>((resolve) => socket.once('close', resolve).end(() => socket.destroy()));
  }

  override over(): void {
    this.#bytes.end();
    if (this.#proxied !== undefined) this.#listeners.close(this.#proxied, this.#bytes);
  }
}

function writtenTo(socket: Duplex): number {
  return ((socket as { bytesWritten?: number }).bytesWritten ?? 0) + socket.writableLength;
}
