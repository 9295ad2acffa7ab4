// Three HTTPS origins to balance over, so that the example needs nothing else: two that answer, and one that is down.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { CertificateFiles } from '@cirque-example/certificates';

/** Addresses of the origins, and how to stop them. */
export interface Origins {
  readonly addresses: readonly string[];
  close(): void;
}

export async function startOrigins(certificate: CertificateFiles): Promise<Origins> {
  const running = await Promise.all(['one', 'two'].map((name) => startOrigin(name, certificate)));
  const down = await startOrigin('three', certificate);
  const addresses = [...running, down].map((origin) => `127.0.0.1:${(origin.address() as AddressInfo).port}`);
  await new Promise((resolve) => down.close(resolve));
  return { addresses, close: () => running.forEach(stop) };
}

function startOrigin(name: string, { certFile, keyFile }: CertificateFiles): Promise<Server> {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const origin = createServer(pair, (request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end(`hello from origin ${name}: ${request.method} ${request.url} for ${request.headers.host}\n`);
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
