// gRPC through the proxy. A gRPC client keeps one connection for all its calls, so what balances connections sends them
// all to the same server; a proxy that knows requests balances the calls.
import { parseArgs, Server } from '@cirque/core';
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigins } from './origins.ts';

interface Ctx {
  /** What became of the call, which gRPC says at its end. */
  status: string | undefined;
}

class Balancer extends ProxyHttp<Ctx> {
  readonly #peers: readonly HttpPeer[];
  #turn = 0;

  constructor(addresses: readonly string[]) {
    super();
    // The servers speak HTTP/2 without TLS, and nothing else.
    this.#peers = addresses.map((address) => new HttpPeer(address, { alpn: 'h2' }));
  }

  override newCtx(): Ctx {
    return { status: undefined };
  }

  override upstreamPeer(): HttpPeer {
    return this.#peers[this.#turn++ % this.#peers.length] as HttpPeer;
  }

  // A call that fails at once has no body: its status is in the head.
  override responseFilter(_session: Session, response: ResponseHeader, ctx: Ctx): void {
    ctx.status = response.headers.get('grpc-status');
  }

  override responseTrailerFilter(_session: Session, trailers: HeaderMap, ctx: Ctx): void {
    ctx.status = trailers.get('grpc-status');
  }

  override logging(session: Session, _error: unknown, ctx: Ctx): void {
    console.log(`${session.requestHeader.path} ended with status ${ctx.status ?? 'unknown'}`);
  }
}

const args = parseArgs({
  name: 'grpc',
  description: 'Balances gRPC calls over two servers.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6205', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origins = await bundled(server, startOrigins);
// h2c: clients may begin with HTTP/2 without TLS.
const service = httpProxyService(server.configuration, new Balancer(origins.addresses), { server: { h2c: true } });
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
