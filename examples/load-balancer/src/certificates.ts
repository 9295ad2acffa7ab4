// An authority of our own, made at the first start and kept in the folder .state: one certificate for the origins, which
// are all called one.one.one.one, and one for this machine.
import { join } from 'node:path';
import { type Certificates, ensureCertificates } from '@cirque-example/certificates';

export function certificates(): Certificates<'origin' | 'localhost'> {
  return ensureCertificates(join(import.meta.dirname, '../.state'), {
    origin: { names: ['one.one.one.one'] },
    localhost: { names: ['localhost'], ips: ['127.0.0.1'] },
  });
}
