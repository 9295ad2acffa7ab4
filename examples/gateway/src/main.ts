// An API gateway: who may pass, where requests go, which fields change on the way, and a line about each request.
import { parseArgs, Server } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import type { RequestHeader, ResponseHeader } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { addXForwarded, httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { isAmbiguous, mayPass } from './access.ts';
import { startOrigins } from './origins.ts';

const API = '/api/';

interface Ctx {
  readonly startedAt: number;
}

class Gateway extends ProxyHttp<Ctx> {
  readonly #api: HttpPeer;
  readonly #site: HttpPeer;

  constructor(api: string, site: string) {
    super();
    this.#api = new HttpPeer(api);
    this.#site = new HttpPeer(site);
  }

  override newCtx(): Ctx {
    return { startedAt: performance.now() };
  }

  // The right place to refuse. Throwing a status is one way, answering and returning true the other.
  override requestFilter(session: Session): boolean {
    const { requestHeader } = session;
    if (isAmbiguous(requestHeader.path)) throw badRequest('the path can be read in two ways');
    if (mayPass(requestHeader)) return false;
    session.respond(403, 'a token is needed here\n');
    return true;
  }

  override upstreamPeer(session: Session): HttpPeer {
    return session.requestHeader.path.startsWith(API) ? this.#api : this.#site;
  }

  // Changes what goes upstream. The client's own head, which logs and other phases see, stays as it came.
  override upstreamRequestFilter(session: Session, request: RequestHeader): void {
    if (request.path.startsWith(API)) request.target = request.target.slice(API.length - 1);
    request.removeHeader('Authorization'); // the token is for us
    addXForwarded(session, request);
  }

  override responseFilter(_session: Session, response: ResponseHeader): void {
    response.removeHeader('X-Powered-By');
    response.insertHeader('Server', 'gateway');
  }

  // Always last, exactly once, whatever happened.
  override logging(session: Session, error: CirqueError | undefined, ctx: Ctx): void {
    const { method, path } = session.requestHeader;
    const ms = (performance.now() - ctx.startedAt).toFixed(1);
    const why = error === undefined ? '' : `, ${error}`;
    console.log(`${method} ${path} ${session.responseHeader?.status} in ${ms} ms${why}`);
  }
}

/** The client's fault: logged as daily life, not as an error of ours. */
function badRequest(why: string): CirqueError {
  return CirqueError.http(400, why, { source: 'Downstream' });
}

const args = parseArgs({
  name: 'gateway',
  description: 'Checks access, routes by path, edits header fields.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6190', valueName: 'ADDRESS', help: 'where the gateway listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origins = await bundled(server, startOrigins);
const gateway = httpProxyService(server.configuration, new Gateway(origins.api, origins.site));
gateway.addTcp(args.values.listen);
server.addService(gateway);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${gateway.endpoints[0]?.text}`);
});
await server.runForever();
