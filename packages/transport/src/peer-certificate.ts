/**
 * What a certificate of the other side says, in the words that policies and logs use. Pingora has organization and
 * serial number; the rest is what X.509 (RFC 5280) offers beside them.
 */
import type { X509Certificate } from 'node:crypto';

/** Facts of a certificate, each read when it is first asked for. */
export class PeerCertificateFacts {
  readonly #certificate: X509Certificate;

  constructor(certificate: X509Certificate) {
    this.#certificate = certificate;
  }

  /** The name of the holder, one `KEY=value` a line. */
  get subject(): string {
    return this.#certificate.subject ?? '';
  }

  /** The name of who issued it, one `KEY=value` a line. */
  get issuer(): string {
    return this.#certificate.issuer;
  }

  /** `O` of the subject; undefined when it has none. */
  get organization(): string | undefined {
    return attribute(this.subject, 'O');
  }

  /** `CN` of the subject; undefined when it has none. */
  get commonName(): string | undefined {
    return attribute(this.subject, 'CN');
  }

  /** Upper-case hexadecimal digits. */
  get serialNumber(): string {
    return this.#certificate.serialNumber;
  }

  /** SHA-256 of the certificate, upper-case hexadecimal with colons. */
  get fingerprint256(): string {
    return this.#certificate.fingerprint256;
  }

  /** `DNS:a.example, IP Address:192.0.2.1`; undefined when it has none. */
  get subjectAltName(): string | undefined {
    return this.#certificate.subjectAltName;
  }

  get validFrom(): Date {
    return new Date(this.#certificate.validFrom);
  }

  get validTo(): Date {
    return new Date(this.#certificate.validTo);
  }

  /** The certificate itself, DER. */
  get raw(): Buffer {
    return this.#certificate.raw;
  }

  /** For logs: names, number and fingerprint. */
  toJSON(): Record<string, string | undefined> {
    const { subject, issuer, serialNumber, fingerprint256 } = this;
    return { subject, issuer, serialNumber, fingerprint256 };
  }
}

/** Node escapes line ends in values, so that a line is one attribute. */
function attribute(name: string, key: string): string | undefined {
  const line = name.split('\n').find((one) => one.startsWith(`${key}=`));
  return line?.slice(key.length + 1);
}
