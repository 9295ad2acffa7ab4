/**
 * The program under test: a proxy that takes HTTP/1 and HTTP/2 on one port without TLS, and speaks either upstream.
 *
 * Limits are the defaults; times are short where a test has to wait for them.
 */
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';

const args = parseArgs({
  name: 'gateway',
  description: 'Forwards every request to one upstream.',
  options: {
    upstream: { type: 'string', default: '127.0.0.1:9000', valueName: 'ADDRESS', help: 'where to forward to' },
    h2: { type: 'boolean', default: false, help: 'speak HTTP/2 with the upstream' },
    'head-timeout-ms': { type: 'string', default: '10000', valueName: 'MS', help: 'for heads and settings of clients' },
    'body-timeout-ms': { type: 'string', default: '30000', valueName: 'MS', help: 'for pauses in uploads' },
    'write-timeout-ms': { type: 'string', default: '60000', valueName: 'MS', help: 'for clients that do not read' },
    'read-timeout-ms': { type: 'string', default: '60000', valueName: 'MS', help: 'for upstreams that do not answer' },
  },
});
const peer = new HttpPeer(args.values.upstream, {
  alpn: args.values.h2 ? 'h2' : 'h1',
  readTimeoutMs: Number(args.values['read-timeout-ms']),
});

const server = new Server(args);
server.bootstrap();
const service = httpProxyService(server.configuration, defineProxy({ upstreamPeer: () => peer }), {
  server: {
    h2c: true,
    headTimeoutMs: Number(args.values['head-timeout-ms']),
    readTimeoutMs: Number(args.values['body-timeout-ms']),
    writeTimeoutMs: Number(args.values['write-timeout-ms']),
  },
});
service.addTcp('127.0.0.1:0');
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') for (const { text } of service.endpoints) process.stdout.write(`listening on ${text}\n`);
});
await server.runForever();
