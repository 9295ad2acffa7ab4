// Who a client is, by its certificate. The authority is trusted to issue names only to those who have them.
import type { SslDigest } from '@cirque/transport';

export interface User {
  readonly name: string;
  readonly isAdmin: boolean;
}

/** Throwing would close the connection: who has a certificate of the authority, but no name, is nobody. */
export function userOf({ peerCertificate }: SslDigest): User {
  const name = peerCertificate?.commonName;
  if (name === undefined) throw new Error('the certificate has no name');
  console.log(`${name} has come`);
  return { name, isAdmin: peerCertificate?.organization === 'Admins' };
}
