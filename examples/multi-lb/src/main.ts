// Two clusters behind one proxy: the path decides which cluster serves a request, round robin which server of it.
import { parseArgs, Server } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { backgroundService, LoadBalancer, RoundRobin, TcpHealthCheck } from '@cirque/load-balancing';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigins } from './origins.ts';

class Router extends ProxyHttp {
  readonly #one: LoadBalancer;
  readonly #two: LoadBalancer;

  constructor(one: LoadBalancer, two: LoadBalancer) {
    super();
    this.#one = one;
    this.#two = two;
  }

  override newCtx(): undefined {}

  override upstreamPeer(session: Session): HttpPeer {
    const cluster = session.requestHeader.path.startsWith('/one/') ? this.#one : this.#two;
    const backend = cluster.select('');
    if (backend === undefined) throw CirqueError.http(503, 'no healthy backend');
    return new HttpPeer(backend);
  }
}

const args = parseArgs({
  name: 'multi-lb',
  description: 'Routes /one/ to one cluster and everything else to another.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6195', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const names = { one: ['one-a', 'one-b'], two: ['two-a', 'two-b'] };
const { addresses } = await bundled(server, () => startOrigins(names));

// Every cluster has a balancer of its own, with checks and a frequency that suit it, and a task that runs them.
const one = clusterService('cluster one', addresses.one, 1_000);
const two = clusterService('cluster two', addresses.two, 5_000);
const proxy = httpProxyService(server.configuration, new Router(one.task, two.task));
proxy.addTcp(args.values.listen);

// The proxy starts to listen when both clusters have been checked once.
server.addService(proxy).addDependency(server.addService(one), server.addService(two));
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${proxy.endpoints[0]?.text}`);
});
await server.runForever();

function clusterService(name: string, addresses: readonly string[], healthCheckFrequencyMs: number) {
  const healthCheck = new TcpHealthCheck();
  const { logger } = server;
  return backgroundService(
    name,
    LoadBalancer.fromAddresses(addresses, { selection: RoundRobin, healthCheck, healthCheckFrequencyMs, logger }),
  );
}
