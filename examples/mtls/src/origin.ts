// The origin of the example: serves nobody without a certificate of the authority.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { CertificateFiles } from '@cirque-example/certificates';

/** Address of the running origin, and how to stop it. */
export interface Origin {
  readonly address: string;
  close(): void;
}

export async function startOrigin({ certFile, keyFile }: CertificateFiles, caFile: string): Promise<Origin> {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const options = { ...pair, ca: readFileSync(caFile), requestCert: true, rejectUnauthorized: true };
  const origin = createServer(options, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    response.end(`${request.url} for ${subject.CN}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', resolve);
  });
  const { port } = origin.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    close() {
      origin.close();
      origin.closeAllConnections();
    },
  };
}
