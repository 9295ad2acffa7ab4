// The same with phases, still in the server that was there. The last step is to let Cirque listen: httpProxyService.
import { createServer, type Server } from 'node:http';
import { toNodeHandler, toUpgradeHandler } from '@cirque/adapters/node';
import type { CirqueError } from '@cirque/error';
import type { RequestHeader, ResponseHeader } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { addXForwarded, type FailToProxy, HttpProxy, ProxyHttp, type Session } from '@cirque/proxy';

class Front extends ProxyHttp {
  readonly #origin: HttpPeer;

  constructor(origin: string) {
    super();
    this.#origin = new HttpPeer(origin, { readTimeoutMs: 60_000 });
  }

  override newCtx(): undefined {}

  override upstreamPeer(): HttpPeer {
    return this.#origin;
  }

  override upstreamRequestFilter(session: Session, request: RequestHeader): void {
    addXForwarded(session, request);
    request.insertHeader('X-Special', 'yes');
  }

  override responseFilter(_session: Session, response: ResponseHeader): void {
    response.removeHeader('X-Powered-By');
  }

  override failToProxy(session: Session, error: CirqueError): FailToProxy {
    console.log(`error ${error.type}`);
    if (!session.responseStarted) session.respond(502, 'the other side is not well\n');
    return { errorCode: 502, canReuseDownstream: false };
  }
}

export function makeServer(origin: string): Server {
  const proxy = new HttpProxy(new Front(origin));
  const handler = toNodeHandler(proxy);
  const server = createServer(handler);
  server.on('upgrade', toUpgradeHandler(proxy));
  server.on('close', () => handler.close());
  return server;
}
