/**
 * A server that answers each datagram with its name and what it got; it can be killed and revived at its port.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { freePort } from './free-port.ts';
import type { Site } from './site.ts';

/** Enough for bursts of a thousand small datagrams, where the system allows it. */
const BUFFER_BYTES = 4_194_304;

export class UdpEcho {
  readonly name: string;
  readonly port: number;
  /** Datagrams that came. */
  received = 0;
  #socket: Socket | undefined;

  private constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }

  static async start(site: Site, name: string): Promise<UdpEcho> {
    const echo = new UdpEcho(name, await freePort());
    await echo.revive();
    site.atEnd(() => echo.kill());
    return echo;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async revive(): Promise<void> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
    this.#socket = socket;
    socket.on('message', (bytes, { address, port }) => {
      this.received += 1;
      socket.send(`${this.name} ${bytes}`, port, address);
    });
    socket.bind(this.port, '127.0.0.1');
    await once(socket, 'listening');
  }

  async kill(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }
}
