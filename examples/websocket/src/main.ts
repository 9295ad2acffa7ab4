// WebSockets through the proxy. Requests that ask for one pass as any other does; once the origin has accepted, the
// body filters see the bytes of the tunnel.
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigin } from './origin.ts';

interface Ctx {
  /** Of this request, taken down at its beginning: later the tunnel is gone. */
  isTunnel: boolean;
  toOrigin: number;
  toClient: number;
}

class Watcher extends ProxyHttp<Ctx> {
  readonly #peer: HttpPeer;

  constructor(origin: string) {
    super();
    // For how long nothing may pass in either direction.
    this.#peer = new HttpPeer(origin, { readTimeoutMs: 300_000 });
  }

  override newCtx(): Ctx {
    return { isTunnel: false, toOrigin: 0, toClient: 0 };
  }

  // Browsers let every page open a WebSocket to everywhere, with the cookies of the user: only our own pages may.
  override requestFilter(session: Session, ctx: Ctx): boolean {
    const { headers } = session.requestHeader;
    const page = headers.get('Origin');
    ctx.isTunnel = session.tunnel !== undefined;
    if (!ctx.isTunnel || page === undefined || new URL(page).host === headers.get('Host')) return false;
    session.respond(403, 'this page may not open a WebSocket here\n');
    return true;
  }

  override upstreamPeer(): HttpPeer {
    return this.#peer;
  }

  // WebSocket frames as they are on the wire: masked from the client, plain from the origin.
  override requestBodyFilter(_session: Session, body: Buffer | undefined, _end: boolean, ctx: Ctx): undefined {
    ctx.toOrigin += body?.length ?? 0;
  }

  override responseBodyFilter(_session: Session, body: Buffer | undefined, _end: boolean, ctx: Ctx): undefined {
    ctx.toClient += body?.length ?? 0;
  }

  override logging(session: Session, _error: unknown, ctx: Ctx): void {
    const what = ctx.isTunnel ? 'tunnel' : 'request';
    const status = session.responseHeader?.status;
    console.log(`${what} ${session.requestHeader.path} ${status}: ${ctx.toOrigin} bytes in, ${ctx.toClient} bytes out`);
  }
}

const args = parseArgs({
  name: 'websocket',
  description: 'WebSockets through a proxy that counts their bytes.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6204', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, startOrigin);
const service = httpProxyService(server.configuration, new Watcher(origin.address));
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
