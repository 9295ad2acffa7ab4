// The origin of the example: serves nobody without a certificate of the authority.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { CertificateFiles } from '@cirque-example/certificates';
import { type Origin, runOrigin } from '@cirque-example/origins';

export function startOrigin({ certFile, keyFile }: CertificateFiles, caFile: string): Promise<Origin> {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const options = { ...pair, ca: readFileSync(caFile), requestCert: true, rejectUnauthorized: true };
  const origin = createServer(options, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    response.end(`${request.url} for ${subject.CN}\n`);
  });
  return runOrigin(origin);
}
