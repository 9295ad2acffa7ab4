/**
 * A flow of UDP to {@link UdpEcho} that goes on: it must stay with the server that has answered first.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { PATIENCE_MS } from './exchanges.ts';
import type { Site } from './site.ts';

let flows = 0;

export class HeldFlow {
  /** The server that has answered first. */
  readonly name: string;
  readonly #socket: Socket;
  readonly #id: number;
  #sequence: number;

  private constructor(socket: Socket, id: number, name: string) {
    this.#socket = socket;
    this.#id = id;
    this.#sequence = 0;
    this.name = name;
  }

  static async open(site: Site, port: number): Promise<HeldFlow> {
    const socket = createSocket('udp4');
    site.atEnd(() => socket.close());
    socket.on('error', () => {}); // seen as an answer that does not come
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    flows += 1;
    const id = flows;
    return new HeldFlow(socket, id, await ask(socket, `held ${id} 0`));
  }

  /** The name of the server. Rejects unless it is the same that answers the next datagram, which is sent once. */
  async works(): Promise<string> {
    this.#sequence += 1;
    const name = await ask(this.#socket, `held ${this.#id} ${this.#sequence}`);
    if (name !== this.name) throw new Error(`flow ${this.#id} has moved from ${this.name} to ${name}`);
    return name;
  }
}

async function ask(socket: Socket, question: string): Promise<string> {
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
  socket.send(question);
  const [bytes] = (await answer) as [Buffer];
  const [name = '', ...echo] = bytes.toString().split(' ');
  if (echo.join(' ') !== question) throw new Error(`${bytes} came for ${question}`);
  return name;
}
