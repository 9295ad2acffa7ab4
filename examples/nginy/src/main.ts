// What cirque.yaml says, from the packages: TCP and UDP over two servers, least connections, health checks, limits.
import { parseArgs, Server } from '@cirque/core';
import { backgroundService, LeastConnections, LoadBalancer, type Pick, TcpHealthCheck } from '@cirque/load-balancing';
import { defineStream, defineUdp, StreamPeer, streamProxyService, udpProxyService } from '@cirque/stream';

const options = {
  tcp: { type: 'string', default: '127.0.0.1:6240', valueName: 'ADDRESS', help: 'where it listens for connections' },
  udp: { type: 'string', default: '127.0.0.1:6241', valueName: 'ADDRESS', help: 'where it receives datagrams' },
  servers: { type: 'string', default: '127.0.0.1:9101,127.0.0.1:9102', help: 'where both go' },
} as const;
const args = parseArgs({ name: 'nginy', description: 'A balancer for TCP and UDP.', options });
const server = new Server(args);
server.bootstrap();

const balancing = { selection: LeastConnections, healthCheckFrequencyMs: 1_000, maxConnections: 1_000 };
const servers = LoadBalancer.fromAddresses(args.values.servers.split(','), balancing);
servers.setHealthCheck(new TcpHealthCheck({ consecutiveFailure: 3, consecutiveSuccess: 2 }));

/** The server of one connection, or of one UDP session: given back when it fails, and at the end. */
class Use {
  #pick: Pick | undefined;
  async choose() {
    this.#pick = await servers.acquire(''); // throws when there is none
    return this.#pick.backend;
  }
  done = (error: unknown): void => this.#pick?.done({ ok: error === undefined });
}
const streams = defineStream<Use>({
  newCtx: () => new Use(),
  upstreamPeer: async (_session, use) => new StreamPeer(await use.choose(), { connectionTimeoutMs: 5_000 }),
  failToConnect(_session, _peer, use, error) {
    use.done(error);
    return error.setRetry(true); // another server
  },
  logging: (_session, error, use) => use.done(error),
});
const datagrams = defineUdp<Use>({
  newCtx: () => new Use(),
  upstreamPeer: (_session, use) => use.choose(),
  failToSend(_session, use, error) {
    use.done(error);
    return error.setRetry(true);
  },
  logging: (_session, error, use) => use.done(error),
});

const [tcpLimits, udpLimits] = [
  { idleTimeoutMs: 300_000, maxConnectionsPerClient: 100, maxRetries: 3 },
  { idleTimeoutMs: 30_000, responses: 1, maxSessions: 10_000, maxRetries: 3 },
];
const tcp = streamProxyService(server.configuration, streams, { name: 'tcp', ...tcpLimits }).addTcp(args.values.tcp);
const udp = udpProxyService(server.configuration, datagrams, { name: 'udp', ...udpLimits });
udp.addUdp(args.values.udp);
const upkeep = server.addService(backgroundService('health check', servers));
for (const service of [tcp, udp]) server.addService(service).addDependency(upkeep);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`TCP on ${args.values.tcp}, UDP on ${args.values.udp}`);
});
await server.runForever();
