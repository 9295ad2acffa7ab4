// An origin for the example that is down at first, and comes up after it was missed three times.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BroadcastChannel } from 'node:worker_threads';
import type { Origin } from '@cirque-example/origins';

/** Name of the channel on which the proxy tells that it could not connect. */
export const REFUSALS = 'refusals';

export async function restartingOrigin(): Promise<Origin> {
  const origin = createServer((_request, response) => response.end('here I am again\n'));
  const port = await freePort(origin);
  const refusals = new BroadcastChannel(REFUSALS).unref();
  let missed = 0;
  refusals.onmessage = () => {
    missed += 1;
    if (missed === 3) origin.listen(port, '127.0.0.1');
  };
  return {
    address: `127.0.0.1:${port}`,
    close() {
      refusals.close();
      origin.close();
      origin.closeAllConnections();
    },
  };
}

/** A port of its own for the server, which is closed again. */
async function freePort(origin: Server): Promise<number> {
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  origin.close();
  await once(origin, 'close');
  return port;
}
