/**
 * One application behind all that a proxy may find upstream: node:http and node:http2, each with and without TLS.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { TestCa } from '@cirque/testing';
import type { GatewayUpstream } from './gateway-setup.ts';
import { Listening } from './listening.ts';

/** Requests of both modules: node:http2 has the same interface where it matters here. */
export type OriginApp = (request: IncomingMessage, response: ServerResponse) => void;

type Http2App = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** Names of the origins, as upstreams of a gateway. */
export type OriginKind = 'h1' | 'h2' | 'h1-tls' | 'h2-tls';

/** The name in the certificate of those with TLS. */
export const ORIGIN_NAME = 'origin.test';

export class FourOrigins {
  readonly upstreams: Readonly<Record<OriginKind, GatewayUpstream>>;
  readonly #listening: readonly Listening[];

  private constructor(listening: Readonly<Record<OriginKind, Listening>>, ca: string) {
    this.#listening = Object.values(listening);
    const tls = { tls: true, sni: ORIGIN_NAME, ca };
    this.upstreams = {
      h1: { address: listening.h1.address, options: { alpn: 'h1' } },
      h2: { address: listening.h2.address, options: { alpn: 'h2' } },
      'h1-tls': { address: listening['h1-tls'].address, options: { alpn: 'h1', ...tls } },
      'h2-tls': { address: listening['h2-tls'].address, options: { alpn: 'h2', ...tls } },
    };
  }

  static async listen(app: OriginApp, authority: TestCa): Promise<FourOrigins> {
    const certificate = authority.issue({ names: [ORIGIN_NAME] });
    const http2App = app as unknown as Http2App;
    const listening = {
      h1: await Listening.on(createServer(app)),
      h2: await Listening.on(createHttp2Server(http2App)),
      'h1-tls': await Listening.on(createHttpsServer(certificate, app)),
      'h2-tls': await Listening.on(createSecureServer(certificate, http2App)),
    };
    return new FourOrigins(listening, authority.cert);
  }

  /** Ends at once, whatever is under way. */
  async close(): Promise<void> {
    for (const server of this.#listening) await server.close();
  }
}

/** Breaks the response off: RST_STREAM on HTTP/2, on HTTP/1 the end of the connection, with a reset where Node has it. */
export function breakOff(response: ServerResponse, code: number): void {
  const { stream } = response as unknown as Partial<Http2ServerResponse>;
  if (stream !== undefined) stream.close(code);
  else if (response.socket instanceof TLSSocket) response.socket.destroy();
  else response.socket?.resetAndDestroy();
}
