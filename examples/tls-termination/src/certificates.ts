// A certificate for each host, in files. A real server has those of a real authority.
import { join } from 'node:path';
import { type Certificates, ensureCertificates } from '@cirque-example/certificates';

export const HOSTS = ['one.example', 'two.example'] as const;

type Host = (typeof HOSTS)[number];

/** Where the certificates are; made when they are not there yet, or when new ones are wanted. */
export function certificates(renew = false): Certificates<Host> {
  const wanted = { 'one.example': { names: ['one.example'] }, 'two.example': { names: ['two.example'] } };
  return ensureCertificates(join(import.meta.dirname, '../.state'), wanted, renew);
}
