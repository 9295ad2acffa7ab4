/**
 * An origin in a thread of its own that answers each request and closes some milliseconds later, as a server does whose
 * keep-alive time is over at that very moment. A thread, so that its FIN comes while this one is busy.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const server = require('node:net').createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.on('data', () => {
    socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n');
    const at = performance.now() + workerData;
    const close = () => (performance.now() >= at ? socket.destroy() : setImmediate(close));
    close();
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** A running one. */
export interface ClosingOrigin {
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<unknown>;
}

/** Starts one that closes `closeAfterMs` after each answer. */
export async function startClosingOrigin(closeAfterMs: number): Promise<ClosingOrigin> {
  const worker = new Worker(SOURCE, { eval: true, workerData: closeAfterMs });
  const [port] = (await once(worker, 'message')) as [number];
  return { address: { host: '127.0.0.1', port }, close: () => worker.terminate() };
}
