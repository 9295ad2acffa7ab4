// Two origins with TLS: one speaks HTTP/2, the other one is old.
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { CertificateFiles } from '@cirque-example/certificates';
import { closeAll, runOrigin } from '@cirque-example/origins';

/** Addresses of the running origins, and how to stop them. */
export interface Origins {
  readonly modern: string;
  readonly old: string;
  close(): void;
}

export async function startOrigins({ certFile, keyFile }: CertificateFiles): Promise<Origins> {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const modern = createSecureServer(pair, (request, response) => {
    response.end(`modern origin: ${request.method} ${request.url} by HTTP/${request.httpVersion}\n`);
  });
  const old = createServer(pair, (request, response) => {
    response.end(`old origin: ${request.method} ${request.url} by HTTP/${request.httpVersion}\n`);
  });
  const [one, other] = await Promise.all([runOrigin(modern), runOrigin(old)]);
  return { modern: one.address, old: other.address, close: closeAll([one, other]) };
}
