/**
 * The certificate of a run: P-256, made on the spot, the same for every proxy.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCa } from '@cirque/testing';

/** Files that every proxy of a run gets. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Certificate and key in one file, as HAProxy wants them. */
  readonly bothFile: string;
}

/** Makes a certificate for 127.0.0.1 and writes it under `directory`. */
export function writeCertificate(directory: string): CertificateFiles {
  mkdirSync(directory, { recursive: true });
  const { cert, key } = makeCa('benchmark').issue({ names: ['localhost'], ips: ['127.0.0.1'] });
  const files = {
    certFile: join(directory, 'cert.pem'),
    keyFile: join(directory, 'key.pem'),
    bothFile: join(directory, 'both.pem'),
  };
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key, { mode: 0o600 });
  writeFileSync(files.bothFile, `${cert}${key}`, { mode: 0o600 });
  return files;
}
