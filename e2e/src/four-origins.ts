/**
 * One application behind all that a proxy may find upstream: node:http and node:http2, each with and without TLS.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, createSecureServer, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { IssuedCertificate, TestCa } from '@cirque/testing';
import type { GatewayUpstream } from './gateway-setup.ts';

/** Requests of both modules: node:http2 has the same interface where it matters here. */
export type OriginApp = (request: IncomingMessage, response: ServerResponse) => void;

/** Names of the origins, as upstreams of a gateway. */
export type OriginKind = 'h1' | 'h2' | 'h1-tls' | 'h2-tls';

/** The name in the certificate of those with TLS. */
export const ORIGIN_NAME = 'origin.test';

export class FourOrigins {
  readonly upstreams: Readonly<Record<OriginKind, GatewayUpstream>>;
  readonly #servers: readonly Server[];
  readonly #sockets: Set<Socket>;

  private constructor(servers: Readonly<Record<OriginKind, Server>>, sockets: Set<Socket>, ca: string) {
    this.#servers = Object.values(servers);
    this.#sockets = sockets;
    const upstream = (kind: OriginKind, alpn: 'h1' | 'h2'): GatewayUpstream => {
      const tls = kind.endsWith('-tls') ? { tls: true, sni: ORIGIN_NAME, ca } : {};
      return { address: `127.0.0.1:${(servers[kind].address() as AddressInfo).port}`, options: { alpn, ...tls } };
    };
    this.upstreams = {
      h1: upstream('h1', 'h1'),
      h2: upstream('h2', 'h2'),
      'h1-tls': upstream('h1-tls', 'h1'),
      'h2-tls': upstream('h2-tls', 'h2'),
    };
  }

  static async listen(app: OriginApp, authority: TestCa): Promise<FourOrigins> {
    const certificate: IssuedCertificate = authority.issue({ names: [ORIGIN_NAME] });
    const servers: Record<OriginKind, Server> = {
      h1: createServer(app),
      h2: createHttp2Server(),
      'h1-tls': createHttpsServer(certificate, app),
      'h2-tls': createSecureServer(certificate),
    };
    const sockets = new Set<Socket>();
    for (const [kind, server] of Object.entries(servers)) {
      if (kind.startsWith('h2')) server.on('request', app as unknown as () => void);
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return new FourOrigins(servers, sockets, authority.cert);
  }

  /** Ends at once, whatever is under way. */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => once(server, 'close'));
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }
}

/** Breaks the response off: RST_STREAM on HTTP/2, on HTTP/1 the end of the connection, with a reset where Node has it. */
export function breakOff(response: ServerResponse, code: number): void {
  const { stream } = response as unknown as Partial<Http2ServerResponse>;
  if (stream !== undefined) stream.close(code);
  else if (response.socket instanceof TLSSocket) response.socket.destroy();
  else response.socket?.resetAndDestroy();
}
