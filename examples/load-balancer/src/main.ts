// Pingora's quick start: a load balancer over three HTTPS origins, round robin, with a health check every second.
import { parseArgs, Server, TlsSettings } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import type { RequestHeader } from '@cirque/http';
import { backgroundService, LoadBalancer, RoundRobin, TcpHealthCheck } from '@cirque/load-balancing';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { certificates } from './certificates.ts';
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
    const upstream = this.#upstreams.select('', 256); // round robin needs no key
    if (upstream === undefined) throw CirqueError.http(503, 'no healthy backend');
    console.log(`upstream peer is: ${upstream.address}`);
    return new HttpPeer(upstream, { tls: true, sni: 'one.one.one.one' });
  }

  override upstreamRequestFilter(_session: Session, upstreamRequest: RequestHeader) {
    upstreamRequest.insertHeader('Host', 'one.one.one.one');
  }
}

const args = parseArgs({
  name: 'load-balancer',
  description: 'Round robin over three bundled origins.',
  options: {
    listen: { type: 'string', default: '0.0.0.0:6188', valueName: 'ADDRESS', help: 'where HTTP is spoken' },
    'listen-tls': { type: 'string', default: '0.0.0.0:6189', valueName: 'ADDRESS', help: 'where HTTPS is spoken' },
  },
});
const server = new Server(args);
server.bootstrap();

const { caFile, files } = certificates();
const origins = await bundled(server, () => startOrigins(files.origin));
const upstreams = LoadBalancer.fromAddresses(origins.addresses, { selection: RoundRobin, logger: server.logger });
upstreams.setHealthCheck(new TcpHealthCheck());
upstreams.healthCheckFrequencyMs = 1_000;
const background = backgroundService('health check', upstreams);

// The origins' authority is one of our own; without `caFile` those of Node.js are trusted.
const lb = httpProxyService(server.configuration, new LB(background.task), { caFile });
lb.addTcp(args.values.listen);
const settings = TlsSettings.intermediate(files.localhost.certFile, files.localhost.keyFile);
lb.addTlsWithSettings(args.values['listen-tls'], settings.enableH2());

server.onPhase((phase) => {
  if (phase === 'Running') {
    const [http = '', https = ''] = lb.endpoints.map(({ text }) => text);
    console.log(`listening on ${http}`);
    console.log(`listening on ${https} with TLS`);
    console.log(`origins: ${origins.addresses.join(', ')} (the last one is down)`);
    console.log(`try it: curl http://${http.replace('0.0.0.0', '127.0.0.1')}/`);
  }
});
server.addService(background);
server.addService(lb);
await server.runForever();
