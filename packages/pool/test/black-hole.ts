/**
 * An endpoint where connection attempts get no answer at all, without any network but loopback.
 *
 * A thread listens with the smallest backlog and then stands still, so that nobody accepts. Two connections fill the
 * queue; Linux drops what comes after them, as a firewall would.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { closeLater } from './closing.ts';

const LISTENER = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});`;

/** Opens one and tells its port. */
export async function openBlackHole(): Promise<number> {
  const worker = new Worker(LISTENER, { eval: true });
  closeLater(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  for (let i = 0; i < 2; i += 1) {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    closeLater(() => socket.destroy());
    await once(socket, 'connect');
  }
  return port;
}
