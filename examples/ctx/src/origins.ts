// Two versions of one origin for the example.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Addresses of the running origins, and how to stop them. */
export interface Origins {
  readonly stable: string;
  readonly beta: string;
  close(): void;
}

export async function startOrigins(): Promise<Origins> {
  const [stable, beta] = await Promise.all([startOrigin('stable'), startOrigin('beta')]);
  return { stable: addressOf(stable), beta: addressOf(beta), close: () => [stable, beta].forEach(stop) };
}

function addressOf(origin: Server): string {
  return `127.0.0.1:${(origin.address() as AddressInfo).port}`;
}

function startOrigin(name: string): Promise<Server> {
  const origin = createServer((_request, response) => response.end(`this is the ${name} version\n`));
  return new Promise((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', () => resolve(origin));
  });
}

function stop(origin: Server): void {
  origin.close();
  origin.closeAllConnections();
}
