// State of one request, and state that all requests share.
import { parseArgs, Server } from '@cirque/core';
import type { ResponseHeader } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigins } from './origins.ts';

/** State of one request: made by `newCtx`, handed to every phase, gone with the request. */
interface Ctx {
  /** The client asked for the beta version. Found out once, used by several phases. */
  beta: boolean;
}

class BetaProxy extends ProxyHttp<Ctx> {
  readonly #stable: HttpPeer;
  readonly #beta: HttpPeer;
  // State of all requests: all of them, and those for the beta version. A field would do for one thread, since phases run
  // one at a time; this is memory that all threads share.
  readonly #requests: Uint32Array;

  constructor(stable: string, beta: string, memory: SharedArrayBuffer) {
    super();
    this.#requests = new Uint32Array(memory);
    this.#stable = new HttpPeer(stable);
    this.#beta = new HttpPeer(beta);
  }

  override newCtx(): Ctx {
    return { beta: false };
  }

  override requestFilter(session: Session, ctx: Ctx): void {
    ctx.beta = session.requestHeader.headers.has('Beta-Flag');
    Atomics.add(this.#requests, 0, 1);
    if (ctx.beta) Atomics.add(this.#requests, 1, 1);
  }

  override upstreamPeer(_session: Session, ctx: Ctx): HttpPeer {
    return ctx.beta ? this.#beta : this.#stable;
  }

  override responseFilter(_session: Session, response: ResponseHeader, ctx: Ctx): void {
    if (ctx.beta) response.insertHeader('X-Version', 'beta');
  }

  override logging(session: Session, _error: unknown, ctx: Ctx): void {
    const version = ctx.beta ? 'beta' : 'stable';
    const [all, beta] = this.#requests;
    console.log(`${session.requestHeader.path} went to ${version}; ${beta} of ${all} were for beta`);
  }
}

const args = parseArgs({
  name: 'ctx',
  description: 'Sends requests with a Beta-Flag field to another origin, and counts them.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6191', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origins = await bundled(server, startOrigins);
const memory = server.sharedMemory('requests', 2 * Uint32Array.BYTES_PER_ELEMENT);
const proxy = httpProxyService(server.configuration, new BetaProxy(origins.stable, origins.beta, memory));
proxy.addTcp(args.values.listen);
server.addService(proxy);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${proxy.endpoints[0]?.text}`);
});
await server.runForever();
