// Every request goes to the origin, and a copy of it to a second one, whose response interests nobody: a way to try a
// new version with real traffic. The client never waits for the copy, and never notices what becomes of it.
import { parseArgs, Server } from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigins } from './origins.ts';

/** Requests with longer bodies are not copied: a body is kept in memory until both have got it. */
const MAX_BODY_BYTES = 65_536;

/** Copies under way at the same time; beyond that a slow shadow would cost memory. */
const MAX_COPIES = 100;

interface Ctx {
  readonly isCopy: boolean;
}

class Mirror extends ProxyHttp<Ctx> {
  readonly #origin: HttpPeer;
  readonly #shadow: HttpPeer;
  #copies = 0;

  constructor(origin: string, shadow: string) {
    super();
    this.#origin = new HttpPeer(origin);
    this.#shadow = new HttpPeer(shadow);
  }

  override newCtx(): Ctx {
    return { isCopy: false };
  }

  override async requestFilter(session: Session, ctx: Ctx): Promise<boolean> {
    if (ctx.isCopy || this.#copies >= MAX_COPIES) return false;
    const { method, headers } = session.requestHeader;
    if (headers.contentLength > MAX_BODY_BYTES || headers.has('Transfer-Encoding')) return false;
    const body = await session.readBody(MAX_BODY_BYTES);
    this.#copies++;
    // A request through this same proxy, with a context of its own: all phases run for it too.
    session
      .spawnBackgroundSubrequest({ method, headers, body, ctx: { isCopy: true } })
      .catch(() => undefined) // `logging` has told of it
      .finally(() => this.#copies--);
    return false;
  }

  override upstreamPeer(_session: Session, ctx: Ctx): HttpPeer {
    return ctx.isCopy ? this.#shadow : this.#origin;
  }

  override logging(session: Session, _error: CirqueError | undefined, ctx: Ctx): void {
    const { method, path } = session.requestHeader;
    if (ctx.isCopy) console.log(`copy: ${method} ${path} ${session.responseHeader?.status}`);
  }

  override suppressErrorLog(_session: Session, ctx: Ctx): boolean {
    return ctx.isCopy;
  }
}

const args = parseArgs({
  name: 'mirror',
  description: 'Copies requests to a second upstream.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6213', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origins = await bundled(server, startOrigins);
const mirror = httpProxyService(server.configuration, new Mirror(origins.origin, origins.shadow));
mirror.addTcp(args.values.listen);
server.addService(mirror);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${mirror.endpoints[0]?.text}`);
});
await server.runForever();
