// Certificates for the examples, made at their first start and kept in a folder. A real server has its own.
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CertificateRequest, makeCa } from '@cirque/testing';

/** Where a certificate and its key are; PEM. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority, and the certificates that it has issued. */
export interface Certificates<Name extends string> {
  /** The certificate of the authority, which those who are to trust the others need. PEM. */
  readonly caFile: string;
  /** By the names under which they were asked for. */
  readonly files: Readonly<Record<Name, CertificateFiles>>;
}

const DAY_MS = 86_400_000;

/**
 * Makes an authority and certificates, unless the folder has them already and they are valid for another day.
 *
 * @param folder is made when it is missing, and belongs to the certificates: it is replaced as a whole.
 * @param wanted what each certificate says, by the name of its file.
 * @param renew makes new ones in any case, of a new authority.
 */
export function ensureCertificates<Name extends string>(
  folder: string,
  wanted: Readonly<Record<Name, CertificateRequest>>,
  renew = false,
): Certificates<Name> {
  const names = Object.keys(wanted) as Name[];
  if (renew || !areValid(folder, names)) make(folder, names, wanted);
  const files = names.map((name) => [name, { certFile: certFile(folder, name), keyFile: keyFile(folder, name) }]);
  return { caFile: certFile(folder, 'ca'), files: Object.fromEntries(files) };
}

function certFile(folder: string, name: string): string {
  return join(folder, `${name}.pem`);
}

function keyFile(folder: string, name: string): string {
  return join(folder, `${name}.key`);
}

function areValid(folder: string, names: readonly string[]): boolean {
  try {
    for (const name of names) readFileSync(keyFile(folder, name));
    return ['ca', ...names].every((name) => {
      const { validTo } = new X509Certificate(readFileSync(certFile(folder, name)));
      return Date.parse(validTo) > Date.now() + DAY_MS;
    });
  } catch {
    return false; // missing, or not readable
  }
}

/** In a folder beside, which then takes the place: nobody ever finds a certificate without its key. */
function make<Name extends string>(
  folder: string,
  names: readonly Name[],
  wanted: Readonly<Record<Name, CertificateRequest>>,
): void {
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}-`);
  const ca = makeCa('Authority of the Cirque examples');
  writeFileSync(certFile(fresh, 'ca'), ca.cert);
  for (const name of names) {
    const { cert, key } = ca.issue(wanted[name]);
    writeFileSync(certFile(fresh, name), cert);
    writeFileSync(keyFile(fresh, name), key, { mode: 0o600 });
  }
  rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true });
    if (!areValid(folder, names)) throw error; // otherwise another start was faster, and its certificates are as good
  }
}
