/**
 * A real TLS server whose answer to every HTTP/1.1 request is what it knows of the connection, as JSON.
 */
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { makeCa, type TestCa } from '@cirque/testing';
import { type HttpConnector, HttpPeer, type PeerOptions } from '../src/index.ts';
import { closeLater } from './closing.ts';
import { type ExchangeOptions, exchange } from './exchange.ts';

/** The authority of all test origins. */
export const CA: TestCa = makeCa('test authority');

/** What a server sees of a connection. */
export interface SeenByServer {
  readonly sni: string | false;
  readonly alpn: string | false;
  readonly version: string;
  readonly cipher: string;
  readonly resumed: boolean;
  /** Common name of the client's certificate. */
  readonly client: string | undefined;
}

/** A server that listens on a free port. */
export interface TlsOrigin {
  readonly address: { readonly host: string; readonly port: number };
  readonly server: Server;
  readonly sockets: TLSSocket[];
}

/** Starts one; by default it is `origin.example`, and 127.0.0.1. */
export async function openTlsOrigin(options: TlsOptions = {}): Promise<TlsOrigin> {
  const identity = CA.issue({ names: ['origin.example'], ips: ['127.0.0.1'] });
  const sockets: TLSSocket[] = [];
  const server = createServer({ ...identity, ...options }, (socket) => {
    sockets.push(socket);
    answerAll(socket);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, server, sockets };
}

/** Sends one request, and tells what the server saw. */
export async function ask(
  connector: HttpConnector,
  { address }: Pick<TlsOrigin, 'address'>,
  options: PeerOptions = {},
  request: ExchangeOptions = {},
): Promise<SeenByServer & { reused: boolean }> {
  const peer = new HttpPeer(address, { tls: true, ca: CA.cert, ...options });
  const { body, reused } = await exchange(connector, peer, request);
  return { ...(JSON.parse(body) as SeenByServer), reused };
}

function answerAll(socket: TLSSocket): void {
  let received = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
      received = received.slice(end + 4);
      const body = JSON.stringify(seen(socket));
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    }
  });
}

function seen(socket: TLSSocket): SeenByServer {
  return {
    sni: (socket as { servername?: string | false }).servername ?? false,
    alpn: socket.alpnProtocol ?? false,
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    resumed: socket.isSessionReused(),
    client: socket.getPeerX509Certificate()?.subject,
  };
}
