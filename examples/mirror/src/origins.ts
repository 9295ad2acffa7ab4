// Two versions of an origin: the one in use, and the next one, which has its problems.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Addresses of the running origins, and how to stop them. */
export interface Origins {
  readonly origin: string;
  readonly shadow: string;
  close(): void;
}

export async function startOrigins(): Promise<Origins> {
  const origin = await startOrigin(async (request, response) => {
    response.end(`version 1 got ${request.method} ${request.url} ${await text(request)}\n`);
  });
  const shadow = await startOrigin(async (request, response) => {
    console.log(`version 2 got ${request.method} ${request.url} ${await text(request)}`);
    response.statusCode = request.url === '/old' ? 500 : 200;
    response.end('nobody reads this');
  });
  return { origin: addressOf(origin), shadow: addressOf(shadow), close: () => [origin, shadow].forEach(stop) };
}

function addressOf(origin: Server): string {
  return `127.0.0.1:${(origin.address() as AddressInfo).port}`;
}

function startOrigin(listener: RequestListener): Promise<Server> {
  const origin = createServer(listener);
  return new Promise((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', () => resolve(origin));
  });
}

function stop(origin: Server): void {
  origin.close();
  origin.closeAllConnections();
}
