// A certificate for this machine, made at the first start and kept in the folder .state.
import { join } from 'node:path';
import { type Certificates, ensureCertificates } from '@cirque-example/certificates';

export function certificates(): Certificates<'localhost'> {
  return ensureCertificates(join(import.meta.dirname, '../.state'), {
    localhost: { names: ['localhost'], ips: ['127.0.0.1'] },
  });
}
