/**
 * A TCP byte pipe on node:net: reads, writes, looks at nothing.
 *
 * The floor for any proxy on Node's sockets: what it costs before a single byte is parsed.
 */
import net from 'node:net';
import { addresses, BACKLOG } from './addresses.mjs';

const { listen, upstream } = addresses();

function connect(from, to) {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroySoon());
}

net
  .createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const origin = net.connect({ ...upstream, noDelay: true, allowHalfOpen: true });
    connect(client, origin);
    connect(origin, client);
  })
  .listen({ ...listen, backlog: BACKLOG });
