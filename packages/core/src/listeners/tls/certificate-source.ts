/**
 * Certificates with their keys: where they come from, and whether they fit together.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CirqueError } from '@cirque/error';
import { STARTED_IN } from '../../daemon/absolute-paths.ts';

/** A certificate in files, read at the start and at every reload. */
export interface CertificateFiles {
  /** PEM: the certificate, then the intermediate ones up to, but without, the root. */
  readonly certFile: string;
  /** PEM. */
  readonly keyFile: string;
  /** For an encrypted key. */
  readonly passphrase?: string;
}

/** A certificate in memory. */
export interface MemoryCertificate {
  /** PEM: the certificate, then the intermediate ones up to, but without, the root. */
  readonly cert: string | Buffer;
  /** PEM. */
  readonly key: string | Buffer;
  /** For an encrypted key. */
  readonly passphrase?: string;
}

/** A certificate, either way. */
export type CertificateOptions = CertificateFiles | MemoryCertificate;

/** A certificate that was read and checked. */
export interface LoadedCertificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly passphrase: string | undefined;
  /** What is odd about it, as a sentence: it has expired, or is not valid yet. */
  readonly warning: string | undefined;
}

/**
 * Tells which form the options have.
 *
 * @throws TypeError when they are neither, or both.
 */
export function checkCertificateOptions(where: string, options: CertificateOptions): void {
  const { certFile, keyFile, cert, key, passphrase } = (options ?? {}) as Partial<CertificateFiles & MemoryCertificate>;
  const files = typeof certFile === 'string' && typeof keyFile === 'string';
  const memory = isPem(cert) && isPem(key);
  const surplus = files ? (cert ?? key) : (certFile ?? keyFile);
  if (files === memory || surplus !== undefined) {
    throw new TypeError(`${where} needs { certFile, keyFile } with paths, or { cert, key } with PEM text`);
  }
  if (passphrase !== undefined && typeof passphrase !== 'string') {
    throw new TypeError(`the passphrase of ${where} must be a text, got ${typeof passphrase}`);
  }
}

/**
 * Reads a certificate and its key, and checks that they belong together.
 *
 * @throws CirqueError of type TLSConfigError naming file and reason.
 */
export async function loadCertificate(where: string, options: CertificateOptions): Promise<LoadedCertificate> {
  if (!('certFile' in options)) return checkPair(where, options);
  const { certFile, keyFile, passphrase } = options;
  const [cert, key] = await Promise.all([readPem(where, certFile), readPem(where, keyFile)]);
  return checkPair(`${where} (${certFile})`, { cert, key, ...(passphrase === undefined ? {} : { passphrase }) });
}

/** Checks a certificate in memory as {@link loadCertificate} does. */
export function checkPair(where: string, { cert, key, passphrase }: MemoryCertificate): LoadedCertificate {
  const certificate = attempt(`${where}: the certificate cannot be read`, () => new X509Certificate(cert));
  const privateKey = attempt(`${where}: the key cannot be read`, () => createKey(key, passphrase));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw CirqueError.internal('TLSConfigError', `${where}: the key does not belong to the certificate`);
  }
  return { cert, key, passphrase, warning: warningOf(where, certificate) };
}

/** Reads a PEM file; a relative path begins where the program was started. @throws CirqueError of type TLSConfigError naming it. */
export async function readPem(where: string, path: string): Promise<Buffer> {
  try {
    return await readFile(resolve(STARTED_IN, path));
  } catch (error) {
    throw CirqueError.internal('TLSConfigError', `${where}: ${path} cannot be read`, error);
  }
}

/** True for what may hold PEM text. */
export function isPem(value: unknown): value is string | Buffer {
  return (typeof value === 'string' && value !== '') || Buffer.isBuffer(value);
}

function createKey(key: string | Buffer, passphrase: string | undefined): KeyObject {
  return createPrivateKey({ key, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
}

function attempt<T>(sentence: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw CirqueError.internal('TLSConfigError', sentence, error);
  }
}

function warningOf(where: string, { validFrom, validTo }: X509Certificate): string | undefined {
  const now = Date.now();
  if (Date.parse(validTo) < now) return `${where}: the certificate has expired (${validTo})`;
  if (Date.parse(validFrom) > now) return `${where}: the certificate is not valid before ${validFrom}`;
  return undefined;
}
