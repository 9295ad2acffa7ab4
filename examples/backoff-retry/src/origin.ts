// An origin for the example that is down at first, and comes up after it was missed three times.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RestartingOrigin {
  readonly address: string;
  /** Somebody could not connect. */
  noteRefusal(): void;
  close(): void;
}

export async function restartingOrigin(): Promise<RestartingOrigin> {
  const origin = createServer((_request, response) => response.end('here I am again\n'));
  const port = await freePort(origin);
  let refusals = 0;
  return {
    address: `127.0.0.1:${port}`,
    noteRefusal: () => {
      refusals += 1;
      if (refusals === 3) origin.listen(port, '127.0.0.1');
    },
    close: () => {
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
