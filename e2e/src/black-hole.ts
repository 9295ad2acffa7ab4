/**
 * An address where connection attempts get no answer at all, as behind a firewall that drops them.
 *
 * A thread listens with the smallest backlog and then stands still; connections fill the queue, and Linux drops what comes
 * after them.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

const LISTENER = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});`;

/** What a backlog of 1 holds. */
const QUEUED = 2;

export class BlackHole {
  readonly port: number;
  readonly #worker: Worker;
  readonly #queued: readonly Socket[];

  private constructor(port: number, worker: Worker, queued: readonly Socket[]) {
    this.port = port;
    this.#worker = worker;
    this.#queued = queued;
  }

  static async open(): Promise<BlackHole> {
    const worker = new Worker(LISTENER, { eval: true });
    const [port] = (await once(worker, 'message')) as [number];
    const queued: Socket[] = [];
    for (let count = 0; count < QUEUED; count++) {
      const socket = connect({ host: '127.0.0.1', port });
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      queued.push(socket);
    }
    return new BlackHole(port, worker, queued);
  }

  async close(): Promise<void> {
    for (const socket of this.#queued) socket.destroy();
    await this.#worker.terminate();
  }
}
