// Pingora's quick start: a load balancer over three origins, round robin, with a health check every second.
import { parseArgs, Server } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { backgroundService, LoadBalancer, RoundRobin, TcpHealthCheck } from '@cirque/load-balancing';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp } from '@cirque/proxy';
import { startOrigins } from './origins.ts';

class LB extends ProxyHttp {
  readonly #upstreams: LoadBalancer;

  constructor(upstreams: LoadBalancer) {
    super();
    this.#upstreams = upstreams;
  }

  override newCtx() {
    return undefined;
  }

  override upstreamPeer() {
    const backend = this.#upstreams.select('', 256); // round robin needs no key
    if (backend === undefined) throw CirqueError.http(503, 'no healthy backend');
    console.log(`upstream peer is: ${backend.address}`);
    return new HttpPeer(backend);
  }
}

const args = parseArgs({
  name: 'load-balancer',
  description: 'Round robin over three bundled origins.',
  options: {
    listen: { type: 'string', default: '0.0.0.0:6188', valueName: 'ADDRESS', help: 'where the load balancer listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origins = await startOrigins();
const upstreams = LoadBalancer.fromAddresses(origins.addresses, { selection: RoundRobin, logger: server.logger });
upstreams.setHealthCheck(new TcpHealthCheck());
upstreams.healthCheckFrequencyMs = 1_000;
const background = backgroundService('health check', upstreams);

const lb = httpProxyService(server.configuration, new LB(background.task));
lb.addTcp(args.values.listen);

server.onPhase((phase) => {
  if (phase === 'Running') {
    const address = lb.endpoints[0]?.text ?? '';
    console.log(`listening on ${address}`);
    console.log(`origins: ${origins.addresses.join(', ')} (the last one is down)`);
    console.log(`try it: curl http://${address.replace('0.0.0.0', '127.0.0.1')}/`);
  }
  if (phase === 'Terminated') origins.close();
});
server.addService(background);
server.addService(lb);
await server.runForever();
