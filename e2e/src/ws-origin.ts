/**
 * A server of `ws` with TLS and without. It echoes; the path says what else it does.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { constants, createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { Server } from 'node:net';
import type { TestCa } from '@cirque/testing';
import { type WebSocket, WebSocketServer } from 'ws';
import { ORIGIN_NAME } from './four-origins.ts';
import type { GatewayUpstream } from './gateway-setup.ts';
import { Listening } from './listening.ts';

const behaviours: Readonly<Record<string, (socket: WebSocket, url: URL) => void>> = {
  '/greet': (socket) => socket.send('hello'),
  '/ping': (socket) => {
    socket.on('pong', (data) => socket.send(`pong ${data}`));
    socket.ping('are you there');
  },
  '/close': (socket, { searchParams }) => {
    socket.once('message', () => socket.close(Number(searchParams.get('code')), searchParams.get('reason') ?? ''));
  },
  '/terminate': (socket) => {
    socket.once('message', () => socket.terminate());
  },
  '/bytes': (socket, { searchParams }) => socket.send(Buffer.alloc(Number(searchParams.get('n')), 'w')),
};

export class WsOrigin {
  /** `h1` and `h1-tls`; `h2` speaks no WebSocket. */
  readonly upstreams: Readonly<Record<string, GatewayUpstream>>;
  /** `PATH CODE REASON` of each WebSocket that has closed. */
  readonly closed: string[] = [];
  /** Fields of the last opening handshake, by lower-case name. */
  lastHandshake: IncomingMessage['headers'] = {};
  readonly #listening: readonly Listening[];
  readonly #sockets: WebSocketServer[] = [];

  private constructor(servers: readonly Server[], listening: readonly Listening[], ca: string) {
    this.#listening = listening;
    const [h1, tls, h2] = listening.map(({ address }) => address);
    this.upstreams = {
      h1: { address: h1 ?? '' },
      'h1-tls': { address: tls ?? '', options: { tls: true, sni: ORIGIN_NAME, ca, alpn: 'h2h1' } },
      h2: { address: h2 ?? '', options: { alpn: 'h2' } },
    };
    for (const server of servers.slice(0, 2)) this.#serve(server);
  }

  static async listen(ca: TestCa): Promise<WsOrigin> {
    const refuse = createHttp2Server().on('stream', (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    const servers = [createServer(), createHttpsServer(ca.issue({ names: [ORIGIN_NAME] })), refuse];
    return new WsOrigin(servers, await Promise.all(servers.map((server) => Listening.on(server))), ca.cert);
  }

  async close(): Promise<void> {
    for (const server of this.#sockets) server.close();
    for (const server of this.#listening) await server.close();
  }

  #serve(server: Server): void {
    const sockets = new WebSocketServer({
      server: server as ReturnType<typeof createServer>,
      perMessageDeflate: true,
      handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
      verifyClient: ({ req }, answer) => answer(!req.url?.startsWith('/refuse'), 403, 'Forbidden'),
    });
    sockets.on('connection', (socket, request) => this.#connected(socket, request));
    this.#sockets.push(sockets);
  }

  #connected(socket: WebSocket, request: IncomingMessage): void {
    const url = new URL(request.url ?? '/', 'http://origin.test');
    this.lastHandshake = request.headers;
    socket.on('error', () => undefined); // the close tells
    socket.on('close', (code, reason) => this.closed.push(`${url.pathname}${url.search} ${code} ${reason}`.trim()));
    const behave = behaviours[url.pathname];
    if (behave !== undefined) behave(socket, url);
    else socket.on('message', (data, binary) => socket.send(data, { binary }));
  }
}
