/**
 * A balanced proxy with threads: it says in the field `X-Thread` which of them has answered, and how many backends that thread
 * holds for healthy in `X-Healthy`.
 *
 * Takes `--backends A,B` beside the options of a server; prints where it listens.
 */
import { threadId } from 'node:worker_threads';
import { parseArgs, Server } from '@cirque/core';
import { backgroundService, HttpHealthCheck, LoadBalancer, RoundRobin } from '@cirque/load-balancing';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';

const { values, ...options } = parseArgs({ options: { backends: { type: 'string', default: '' } } });
const server = new Server(options);
server.bootstrap();

const balancer = LoadBalancer.fromAddresses(values.backends.split(','), { selection: RoundRobin });
balancer.setHealthCheck(new HttpHealthCheck({ host: 'backend', path: '/health' }));
balancer.healthCheckFrequencyMs = 100;
const background = backgroundService('health', balancer);

const proxy = defineProxy({
  upstreamPeer: () => {
    const backend = background.task.select('', 16);
    if (backend === undefined) throw new Error('no healthy backend');
    return new HttpPeer(backend);
  },
  responseFilter: (_, response) => {
    const { backends } = background.task;
    const healthy = [...backends].filter((backend) => backends.isHealthy(backend)).length;
    response.insertHeader('X-Thread', String(threadId));
    response.insertHeader('X-Healthy', String(healthy));
  },
});
const service = httpProxyService(server.configuration, proxy);
service.addTcp('127.0.0.1:0');
server.addService(background);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') process.stdout.write(`listening on ${service.endpoints[0]?.text}\n`);
});
await server.runForever();
