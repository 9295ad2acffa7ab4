// Three HTTPS origins to balance over, so that the example needs nothing else: two that answer, and one that is down.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { CertificateFiles } from '@cirque-example/certificates';
import { closeAll, type Origin, runOrigin } from '@cirque-example/origins';

/** Addresses of the origins, and how to stop them. */
export interface Origins {
  readonly addresses: readonly string[];
  close(): void;
}

export async function startOrigins(certificate: CertificateFiles): Promise<Origins> {
  const origins = await Promise.all(['one', 'two', 'three'].map((name) => startOrigin(name, certificate)));
  origins.at(-1)?.close();
  return {
    addresses: origins.map(({ address }) => address),
    close: closeAll(origins.slice(0, -1)),
  };
}

function startOrigin(name: string, { certFile, keyFile }: CertificateFiles): Promise<Origin> {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const origin = createServer(pair, (request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end(`hello from origin ${name}: ${request.method} ${request.url} for ${request.headers.host}\n`);
  });
  return runOrigin(origin);
}
