/**
 * Cirque as a proxy of layer 4: connections, connections by the server name of their TLS handshake, or datagrams.
 *
 * Takes `--listen HOST:PORT --upstream HOST:PORT --second HOST:PORT --duty tcp|sni|udp|udp-one-answer`. With `sni` connections for
 * `two.test` go to the second upstream.
 */
import { parseArgs, Server } from '@cirque/core';
import { defineStream, defineUdp, peekTls, StreamPeer, streamProxyService, udpProxyService } from '@cirque/stream';

const text = (help: string, value: string) => ({ type: 'string', default: value, valueName: 'TEXT', help }) as const;

const args = parseArgs({
  name: 'l4',
  description: 'A proxy for TCP or UDP.',
  options: {
    listen: text('where to listen', '127.0.0.1:8080'),
    upstream: text('where to forward to', '127.0.0.1:9000'),
    second: text('where to forward to what is for two.test', '127.0.0.1:9001'),
    duty: text('what it does', 'tcp'),
  },
});
const { listen, upstream, second, duty } = args.values;
const server = new Server(args);
server.bootstrap();

if (duty === 'udp' || duty === 'udp-one-answer') {
  const { hostname: host, port } = new URL(`udp://${upstream}`);
  const address = { host, port: Number(port) };
  const phases = defineUdp({ upstreamPeer: () => address });
  const service = udpProxyService(server.configuration, phases, { responses: duty === 'udp' ? 0 : 1 });
  server.addService(service.addUdp(listen));
} else {
  const peer = new StreamPeer(upstream);
  const other = new StreamPeer(second);
  const plain = defineStream({ upstreamPeer: () => peer });
  const byName = defineStream<{ peer: StreamPeer }>({
    newCtx: () => ({ peer }),
    peek(_session, seen, _ended, ctx) {
      const hello = peekTls(seen);
      if (hello === 'more') return 'more';
      if (hello?.serverName === 'two.test') ctx.peer = other;
      return undefined;
    },
    upstreamPeer: (_session, ctx) => ctx.peer,
  });
  const service =
    duty === 'sni' ? streamProxyService(server.configuration, byName) : streamProxyService(server.configuration, plain);
  server.addService(service.addTcp(listen));
}
await server.runForever();
