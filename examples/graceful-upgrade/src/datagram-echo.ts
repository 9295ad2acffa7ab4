// A service of one's own: sends UDP datagrams back. Its socket comes from the server, so it survives upgrades as well.
import { once } from 'node:events';
import type { Service, ServiceContext } from '@cirque/core';

export class DatagramEcho implements Service {
  readonly name = 'datagrams';
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  async start({ sockets, shutdown, logger, ready }: ServiceContext): Promise<void> {
    const { socket, address, close } = await sockets.udp(this.#address);
    socket.on('message', (message, { port, address: host }) => {
      if (port > 0) socket.send(message, port, host); // senders can be forged, and Node.js throws at port 0
    });
    socket.on('error', (err) => logger.warn({ err }, 'a datagram could not be received or sent'));
    logger.info({ endpoint: `${address.host}:${address.port}` }, 'receiving datagrams');
    ready();
    if (!shutdown.aborted) await once(shutdown, 'abort');
    close();
  }
}
