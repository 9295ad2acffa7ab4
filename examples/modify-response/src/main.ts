// Changes JSON responses on their way to the client: the whole body is kept back, then sent on in another form.
import { parseArgs, Server } from '@cirque/core';
import type { RequestHeader, ResponseHeader } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigin } from './origin.ts';
import { rewrite } from './rewrite.ts';

/** Larger responses pass as they are: keeping them back would cost too much memory. */
const MAX_BYTES = 1_048_576;

interface Ctx {
  /** What was kept back so far; undefined when this response is none of our business. */
  kept: Buffer[] | undefined;
}

class Modifier extends ProxyHttp<Ctx> {
  readonly #origin: HttpPeer;

  constructor(origin: string) {
    super();
    this.#origin = new HttpPeer(origin);
  }

  override newCtx(): Ctx {
    return { kept: undefined };
  }

  override upstreamPeer(): HttpPeer {
    return this.#origin;
  }

  // A compressed body, or a part of one, could not be read.
  override upstreamRequestFilter(_session: Session, request: RequestHeader): void {
    request.removeHeader('Accept-Encoding');
    request.removeHeader('Range');
  }

  // The head goes out before the body is known. Without Content-Length the body is sent in chunks.
  override responseFilter(session: Session, response: ResponseHeader, ctx: Ctx): void {
    const { headers } = response;
    const isJson = /^application\/json\b/i.test(headers.get('Content-Type') ?? '');
    const fits = headers.contentLength >= 0 && headers.contentLength <= MAX_BYTES;
    if (!isJson || !fits || headers.has('Content-Encoding') || session.requestHeader.method === 'HEAD') return;
    ctx.kept = [];
    headers.delete('Content-Length');
    headers.delete('ETag'); // it names the bytes that the origin sent
  }

  // No bytes drop a piece, undefined lets it pass, anything else replaces it. The last call has endOfStream set.
  override responseBodyFilter(
    _session: Session,
    body: Buffer | undefined,
    endOfStream: boolean,
    ctx: Ctx,
  ): Uint8Array | undefined {
    if (ctx.kept === undefined) return undefined;
    if (body !== undefined) ctx.kept.push(body);
    return endOfStream ? rewrite(Buffer.concat(ctx.kept)) : Buffer.alloc(0);
  }
}

const args = parseArgs({
  name: 'modify-response',
  description: 'Buffers JSON responses and rewrites them.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6192', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, startOrigin);
const proxy = httpProxyService(server.configuration, new Modifier(origin.address));
proxy.addTcp(args.values.listen);
server.addService(proxy);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${proxy.endpoints[0]?.text}`);
});
await server.runForever();
