// Origins for the example, so that it needs nothing else: each says its name and what it was asked.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Addresses of the running origins by cluster, and how to stop them. */
export interface Origins<Cluster extends string> {
  readonly addresses: Readonly<Record<Cluster, readonly string[]>>;
  close(): void;
}

/** Starts one origin for each name. */
export async function startOrigins<Cluster extends string>(
  names: Readonly<Record<Cluster, readonly string[]>>,
): Promise<Origins<Cluster>> {
  const all: Server[] = [];
  const addresses: Partial<Record<Cluster, readonly string[]>> = {};
  for (const cluster of Object.keys(names) as Cluster[]) {
    const origins = await Promise.all(names[cluster].map(startOrigin));
    addresses[cluster] = origins.map((origin) => `127.0.0.1:${(origin.address() as AddressInfo).port}`);
    all.push(...origins);
  }
  return { addresses: addresses as Record<Cluster, readonly string[]>, close: () => all.forEach(stop) };
}

function startOrigin(name: string): Promise<Server> {
  const origin = createServer((request, response) => response.end(`${name}: ${request.method} ${request.url}\n`));
  return new Promise((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', () => resolve(origin));
  });
}

function stop(origin: Server): void {
  origin.close();
  origin.closeAllConnections();
}
