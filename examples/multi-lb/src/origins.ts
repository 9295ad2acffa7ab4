// Origins for the example, so that it needs nothing else: each says its name and what it was asked.
import { createServer } from 'node:http';
import { closeAll, type Origin, runOrigin } from '@cirque-example/origins';

/** Addresses of the running origins by cluster, and how to stop them. */
export interface Origins<Cluster extends string> {
  readonly addresses: Readonly<Record<Cluster, readonly string[]>>;
  close(): void;
}

/** Starts one origin for each name. */
export async function startOrigins<Cluster extends string>(
  names: Readonly<Record<Cluster, readonly string[]>>,
): Promise<Origins<Cluster>> {
  const all: Origin[] = [];
  const addresses: Partial<Record<Cluster, readonly string[]>> = {};
  for (const cluster of Object.keys(names) as Cluster[]) {
    const origins = await Promise.all(names[cluster].map(startOrigin));
    addresses[cluster] = origins.map(({ address }) => address);
    all.push(...origins);
  }
  return {
    addresses: addresses as Record<Cluster, readonly string[]>,
    close: closeAll(all),
  };
}

function startOrigin(name: string): Promise<Origin> {
  return runOrigin(createServer(({ method, url }, response) => response.end(`${name}: ${method} ${url}\n`)));
}
