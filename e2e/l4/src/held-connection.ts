/**
 * A connection to {@link MortalServer.echo} that stays open: whose it is, whether it still works, how it ended.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PATIENCE_MS } from './exchanges.ts';
import type { Site } from './site.ts';

export class HeldConnection {
  /** The server at its other end. */
  readonly name: string;
  /** True from the moment at which it is closed, by whomever. */
  isClosed = false;
  readonly #socket: Socket;

  private constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.name = name;
    socket.on('error', () => {});
    socket.on('end', () => {
      this.isClosed = true;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async open(site: Site, port: number): Promise<HeldConnection> {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    site.atEnd(() => socket.destroy());
    const [greeting] = (await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) })) as [string];
    return new HeldConnection(socket, greeting.trim());
  }

  /** Rejects unless a text comes back through it. */
  async works(): Promise<void> {
    const answer = once(this.#socket, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) });
    this.#socket.write('still there?');
    const [text] = (await answer) as [string];
    if (text !== 'still there?') throw new Error(`an echo is ${JSON.stringify(text)}`);
  }

  close(): void {
    this.#socket.end();
  }
}
