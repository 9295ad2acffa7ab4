// Three origins to balance over, so that the example needs nothing else: two that answer, and one that is down.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Addresses of the origins, and how to stop them. */
export interface Origins {
  readonly addresses: readonly string[];
  close(): void;
}

export async function startOrigins(): Promise<Origins> {
  const running = await Promise.all([startOrigin('one'), startOrigin('two')]);
  const down = await startOrigin('three');
  const addresses = [...running, down].map((origin) => `127.0.0.1:${(origin.address() as AddressInfo).port}`);
  await new Promise((resolve) => down.close(resolve));
  return { addresses, close: () => running.forEach(stop) };
}

function startOrigin(name: string): Promise<Server> {
  const origin = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end(`hello from origin ${name}: ${request.method} ${request.url}\n`);
  });
  return new Promise((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', () => resolve(origin));
  });
}

function stop(origin: Server): void {
  origin.close();
  origin.closeAllConnections();
}
