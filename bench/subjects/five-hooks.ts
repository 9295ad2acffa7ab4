/**
 * The reverse proxy of the examples with five synchronous phases that each touch a header field: what a small gateway
 * does on every request. The benchmark checks that their edits arrive before it times anything.
 *
 * Takes `--listen HOST:PORT --upstream HOST:PORT`.
 */
import { parseArgs, Server } from '@cirque/core';
import type { RequestHeader, ResponseHeader } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';

interface Context {
  client: string;
}

class FiveHooks extends ProxyHttp<Context> {
  readonly #peer: HttpPeer;
  /** Requests whose client said what it is, as a metric that is scraped now and then. */
  identified = 0;

  constructor(upstream: string) {
    super();
    this.#peer = new HttpPeer(upstream);
  }

  override newCtx(): Context {
    return { client: '' };
  }

  override upstreamPeer(): HttpPeer {
    return this.#peer;
  }

  override requestFilter(session: Session, ctx: Context): void {
    ctx.client = session.requestHeader.headers.get('User-Agent') ?? '';
    session.requestHeader.insertHeader('X-Bench-Filter', 'seen');
  }

  override upstreamRequestFilter(_session: Session, request: RequestHeader): void {
    request.insertHeader('X-Bench-Hook', 'added');
  }

  override upstreamResponseFilter(_session: Session, response: ResponseHeader): void {
    response.removeHeader('Server');
  }

  override responseFilter(_session: Session, response: ResponseHeader): void {
    response.insertHeader('X-Bench-Hook', 'added');
  }

  override logging(session: Session, _error: unknown, ctx: Context): void {
    if (ctx.client !== '' && session.responseHeader?.headers.has('X-Bench-Hook')) this.identified++;
  }
}

const args = parseArgs({
  name: 'five-hooks',
  description: 'The reverse proxy with five phases that each touch a header field.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:8080', valueName: 'HOST:PORT', help: 'where to listen' },
    upstream: { type: 'string', default: '127.0.0.1:9000', valueName: 'HOST:PORT', help: 'where to forward to' },
  },
});
const server = new Server(args);
server.bootstrap();
const service = httpProxyService(server.configuration, new FiveHooks(args.values.upstream));
service.addTcp(args.values.listen);
server.addService(service);
await server.runForever();
