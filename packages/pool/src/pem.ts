/**
 * PEM text that decides who is trusted, and who we are: trust stores and client certificates.
 *
 * Both go into the reuse key as a digest of all their bytes (toJSON), so that no key or log ever holds the text itself.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readFields, readText } from './check-option.ts';

/** PEM text, or its bytes. */
export type Pem = string | Uint8Array;

/** A certificate of ours with its key. */
export interface ClientCertOptions {
  /** The certificate, followed by the intermediate ones. PEM. */
  readonly cert: Pem;
  readonly key: Pem;
  /** Of an encrypted key. */
  readonly passphrase?: string;
}

const CERTIFICATES = /-----BEGIN [A-Z0-9 ]*CERTIFICATE-----.*?(?:-----END [A-Z0-9 ]*CERTIFICATE-----|$)/gs;

/** Certificates that are trusted, in the place of the default ones. */
export class TrustStore {
  /** PEM; one text may hold several certificates. */
  readonly certificates: readonly string[];
  #digest: string | undefined;

  constructor(certificates: readonly string[]) {
    this.certificates = certificates;
  }

  /**
   * Looks into every certificate: Node passes over those that it cannot read, and then trusts nobody.
   *
   * @throws what OpenSSL says of the first bad one.
   */
  check(): void {
    for (const text of this.certificates) {
      for (const [certificate] of text.matchAll(CERTIFICATES)) new X509Certificate(certificate);
    }
  }

  /** A digest of all of it. */
  toJSON(): string {
    this.#digest ??= digestOf(this.certificates);
    return this.#digest;
  }
}

/** A certificate that we show when the upstream asks, with its key. */
export class ClientCertificate {
  readonly cert: string;
  readonly #key: string;
  readonly #passphrase: string | undefined;
  #digest: string | undefined;

  constructor(cert: string, key: string, passphrase: string | undefined) {
    this.cert = cert;
    this.#key = key;
    this.#passphrase = passphrase;
  }

  /** For `tls.createSecureContext`. */
  get credentials(): { cert: string; key: string; passphrase?: string } {
    const pair = { cert: this.cert, key: this.#key };
    return this.#passphrase === undefined ? pair : { ...pair, passphrase: this.#passphrase };
  }

  /** A digest of all of it, key included. */
  toJSON(): string {
    this.#digest ??= digestOf([this.cert, this.#key, this.#passphrase ?? '']);
    return this.#digest;
  }
}

/** @throws TypeError unless it is PEM text of certificates, or a list of such texts that is not empty. */
export function readTrustStore(name: string, value: unknown): TrustStore {
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  if (texts.length === 0) throw new TypeError(`${name} is an empty list: expected certificates in PEM`);
  return new TrustStore(texts.map((text) => readPem(name, text, 'CERTIFICATE')));
}

/** @throws TypeError naming the part that is wrong, never showing it. */
export function readClientCert(name: string, value: unknown): ClientCertificate {
  const { cert, key, passphrase } = readFields(name, value, ['cert', 'key', 'passphrase']);
  return new ClientCertificate(
    readPem(`${name}.cert`, cert, 'CERTIFICATE'),
    readPem(`${name}.key`, key, 'PRIVATE KEY'),
    passphrase === undefined ? undefined : readText(`${name}.passphrase`, passphrase),
  );
}

/** A copy of the text: bytes may change later. Only its kind is checked here; what is in it, when it is used. */
function readPem(name: string, value: unknown, kind: 'CERTIFICATE' | 'PRIVATE KEY'): string {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value;
  // Not shown, whatever it is: it may be a key.
  if (typeof text === 'string' && text.includes(`${kind}-----`)) return text;
  throw new TypeError(`${name} is not PEM: expected text or bytes with '-----BEGIN ${kind}-----', not a path`);
}

function digestOf(texts: readonly string[]): string {
  // As a list: where one text ends and the next begins counts.
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64');
}
