// Two origins for the example: an API that shows what arrives, and a site.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Addresses of the running origins, and how to stop them. */
export interface Origins {
  readonly api: string;
  readonly site: string;
  close(): void;
}

export async function startOrigins(): Promise<Origins> {
  const api = await startOrigin((request, response) => {
    const { authorization = 'none', 'x-forwarded-for': client } = request.headers;
    response.setHeader('X-Powered-By', 'something with holes');
    response.end(`api: ${request.method} ${request.url}, for ${client}, authorization: ${authorization}\n`);
  });
  const site = await startOrigin((request, response) => response.end(`site: ${request.method} ${request.url}\n`));
  return { api: addressOf(api), site: addressOf(site), close: () => [api, site].forEach(stop) };
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
