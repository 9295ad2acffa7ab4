/**
 * The reverse proxy of the examples with other protocols on its sides: TLS and HTTP/2 to the clients, HTTP/2 to the origin.
 *
 * Takes `--listen HOST:PORT --upstream HOST:PORT --client http|https|h2c|h2 --origin http|h2c [--cert FILE --key FILE]`.
 */
import { parseArgs, Server, TlsSettings } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';

const text = (help: string, value: string) => ({ type: 'string', default: value, valueName: 'TEXT', help }) as const;

const args = parseArgs({
  name: 'gateway',
  description: 'The reverse proxy with TLS and HTTP/2.',
  options: {
    listen: text('where to listen', '127.0.0.1:8080'),
    upstream: text('where to forward to', '127.0.0.1:9000'),
    client: text('what clients speak', 'http'),
    origin: text('what the origin speaks', 'http'),
    cert: text('certificate file', ''),
    key: text('key file', ''),
  },
});
const { listen, upstream, client, origin, cert, key } = args.values;
const server = new Server(args);
server.bootstrap();
const peer = new HttpPeer(upstream, origin === 'h2c' ? { alpn: 'h2' } : {});
const service = httpProxyService(server.configuration, defineProxy({ upstreamPeer: () => peer }), {
  upstreamKeepalivePoolSize: 1024,
  server: { h2c: client === 'h2c' },
});
if (client === 'https' || client === 'h2') {
  const certificate = { certFile: cert, keyFile: key };
  const settings = new TlsSettings({ certificate, minVersion: 'TLSv1.3', sessionTickets: false });
  service.addTlsWithSettings(listen, client === 'h2' ? settings.enableH2() : settings);
} else {
  service.addTcp(listen);
}
server.addService(service);
await server.runForever();
