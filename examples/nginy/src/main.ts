// What cirque.yaml says, from the packages: TCP and UDP over two servers, least connections, health checks, limits.
import { parseArgs, Server } from '@cirque/core';
import { backgroundService, LeastConnections, LoadBalancer, TcpHealthCheck } from '@cirque/load-balancing';
import { defineStream, defineUdp, StreamPeer, streamProxyService, udpProxyService } from '@cirque/stream';
import { Choice } from './choice.ts';

const options = {
  tcp: { type: 'string', default: '127.0.0.1:6240', valueName: 'ADDRESS', help: 'where it listens for connections' },
  udp: { type: 'string', default: '127.0.0.1:6241', valueName: 'ADDRESS', help: 'where it receives datagrams' },
  servers: { type: 'string', default: '127.0.0.1:9101,127.0.0.1:9102', help: 'where both go' },
} as const;
const args = parseArgs({ name: 'nginy', description: 'A balancer for TCP and UDP.', options });
const server = new Server(args);
server.bootstrap();

const servers = args.values.servers.split(',');
const balancing = { selection: LeastConnections, healthCheckFrequencyMs: 1_000 };
const streams = LoadBalancer.fromAddresses(servers, { ...balancing, maxConnections: 1_000 });
const datagrams = LoadBalancer.fromAddresses(servers, balancing);
for (const balancer of [streams, datagrams]) balancer.setHealthCheck(new TcpHealthCheck());

const stream = defineStream<Choice>({
  newCtx: () => new Choice(streams),
  upstreamPeer: (_session, choice) => new StreamPeer(choice.next(), { connectionTimeoutMs: 5_000 }),
  failToConnect: (_session, _peer, choice, error) => error.setRetry(choice.failed()),
  logging: (_session, error, choice) => choice?.done(error === undefined),
});
const datagram = defineUdp<Choice>({
  newCtx: () => new Choice(datagrams),
  upstreamPeer: (_session, choice) => choice.next(),
  failToSend: (_session, choice, error) => error.setRetry(choice.failed()),
  logging: (_session, error, choice) => choice?.done(error === undefined),
});

const { configuration } = server;
const limits = { idleTimeoutMs: 300_000, maxConnectionsPerClient: 100 };
const tcp = streamProxyService(configuration, stream, { name: 'tcp', ...limits }).addTcp(args.values.tcp);
const bounds = { responses: 1, idleTimeoutMs: 30_000, maxSessions: 10_000 };
const udp = udpProxyService(configuration, datagram, { name: 'udp', ...bounds });
udp.addUdp(args.values.udp);
server.addService(tcp).addDependency(server.addService(backgroundService('streams', streams)));
server.addService(udp).addDependency(server.addService(backgroundService('datagrams', datagrams)));
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`TCP on ${args.values.tcp}, UDP on ${args.values.udp}`);
});
await server.runForever();
