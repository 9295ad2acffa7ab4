// Failover as in Pingora's user guide: when the first upstream cannot be connected to, the second one is tried.
import { parseArgs, Server } from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import { HttpPeer, type Peer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { firstOptions, isScenario, SCENARIOS, startUpstreams } from './upstreams.ts';

/** State of one request. */
interface Ctx {
  /** Connections that could not be established so far. */
  tries: number;
}

class Failover extends ProxyHttp<Ctx> {
  readonly #first: HttpPeer;
  readonly #second: HttpPeer;

  constructor(first: HttpPeer, second: HttpPeer) {
    super();
    this.#first = first;
    this.#second = second;
  }

  override newCtx(): Ctx {
    return { tries: 0 };
  }

  // Runs once per attempt: the context says which one this is.
  override upstreamPeer(_session: Session, ctx: Ctx): HttpPeer {
    return ctx.tries === 0 ? this.#first : this.#second;
  }

  // Only for connections that could not be established: nothing was sent, so trying again is always safe.
  override failToConnect(_session: Session, peer: HttpPeer | Peer, ctx: Ctx, error: CirqueError): CirqueError {
    console.log(`could not connect to ${peer}: ${error.type}`);
    ctx.tries += 1;
    return error.setRetry(ctx.tries < 2);
  }

  override logging(session: Session, _error: CirqueError | undefined, ctx: Ctx): void {
    console.log(`${session.requestSummary()}: ${session.responseHeader?.status}, failed connections: ${ctx.tries}`);
  }
}

const args = parseArgs({
  name: 'failover',
  description: 'Two upstreams, of which the first is in trouble.',
  options: {
    scenario: {
      type: 'string',
      default: 'refused',
      valueName: 'NAME',
      help: `what ails the first upstream: ${SCENARIOS.join(', ')}`,
    },
    listen: { type: 'string', default: '127.0.0.1:6194', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const { scenario, listen } = args.values;
if (!isScenario(scenario)) {
  console.error(`--scenario must be one of ${SCENARIOS.join(', ')}, got ${scenario}`);
  process.exit(2);
}

const server = new Server(args);
server.bootstrap();
const upstreams = await bundled(server, () => startUpstreams(scenario));
const first = new HttpPeer(upstreams.first, firstOptions(scenario));
const second = new HttpPeer(upstreams.second);
const proxy = httpProxyService(server.configuration, new Failover(first, second));
proxy.addTcp(listen);
server.addService(proxy);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${proxy.endpoints[0]?.text}; first upstream: ${scenario}`);
});
await server.runForever();
