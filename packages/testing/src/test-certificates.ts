/**
 * Certificates for tests: an authority made on the spot, and what it issues. Needs no openssl.
 *
 * X.509 version 3 as in RFC 5280, signed with ECDSA P-256 and SHA-256. For tests only: keys are never kept anywhere.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { bitString, boolean, integer, octetString, oid, sequence, set, tagged, time, utf8 } from './der.ts';

/** A certificate with its key, both as PEM text, ready for `tls.createSecureContext`. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says. */
export interface CertificateRequest {
  /** DNS names, `*.example.com` included. The first one is the common name unless that is given. */
  readonly names?: readonly string[];
  /** IP addresses. */
  readonly ips?: readonly string[];
  readonly commonName?: string;
  readonly organization?: string;
  /** For clients as well as for servers. Default: for servers only. */
  readonly clientAuth?: boolean;
  /** Valid until yesterday. Default: from an hour ago, for a month. */
  readonly expired?: boolean;
  /** Kind of the key. Default `ec`; `rsa` takes longer to make. */
  readonly keyType?: 'ec' | 'rsa';
}

/** An authority. Its own certificate is what others trust. */
export interface TestCa extends IssuedCertificate {
  /** Issues a certificate. Behind an intermediate authority, `cert` holds the chain: the leaf first, the root left out. */
  issue(request: CertificateRequest): IssuedCertificate;
  /** An authority below this one. */
  issueCa(name: string): TestCa;
}

/** Makes an authority with a new key. */
export function makeCa(name: string): TestCa {
  return new Authority(name, undefined);
}

class Authority implements TestCa {
  readonly cert: string;
  readonly key: string;
  readonly #subject: Buffer;
  readonly #keys: KeyPair;
  /** Certificates that a server behind this authority has to send, PEM. */
  readonly #chain: string;

  constructor(name: string, parent: Authority | undefined) {
    this.#subject = distinguishedName(name);
    this.#keys = newKeys('ec');
    this.key = pemOf(this.#keys.privateKey);
    const signer = parent ?? this;
    const extensions = [
      extension(OID.basicConstraints, sequence(boolean(true)), true),
      extension(OID.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), true),
    ];
    this.cert = signer.#sign(this.#subject, this.#keys.publicKey, validity(false, 3_650), extensions);
    this.#chain = parent === undefined ? '' : this.cert + parent.#chain;
  }

  issue({ names = [], ips = [], keyType = 'ec', expired = false, ...rest }: CertificateRequest): IssuedCertificate {
    const { commonName = names[0] ?? ips[0] ?? 'test', organization, clientAuth = false } = rest;
    const keys = newKeys(keyType);
    const usages = clientAuth ? [oid(OID.serverAuth), oid(OID.clientAuth)] : [oid(OID.serverAuth)];
    const extensions = [
      extension(OID.basicConstraints, sequence(), true),
      extension(OID.keyUsage, bitString(Buffer.from([0b1010_0000]), 5), true),
      extension(OID.extendedKeyUsage, sequence(...usages)),
    ];
    if (names.length + ips.length > 0) extensions.push(extension(OID.subjectAltName, alternativeNames(names, ips)));
    const subject = distinguishedName(commonName, organization);
    const cert = this.#sign(subject, keys.publicKey, validity(expired, 30), extensions);
    return { cert: cert + this.#chain, key: pemOf(keys.privateKey) };
  }

  issueCa(name: string): TestCa {
    return new Authority(name, this);
  }

  #sign(subject: Buffer, publicKey: KeyObject, valid: Buffer, extensions: readonly Buffer[]): string {
    const algorithm = sequence(oid(OID.ecdsaWithSha256));
    const all = [
      ...extensions,
      extension(OID.subjectKeyIdentifier, octetString(keyId(publicKey))),
      extension(OID.authorityKeyIdentifier, sequence(tagged(0x80, keyId(this.#keys.publicKey)))),
    ];
    const body = sequence(
      tagged(0xa0, integer(Buffer.from([2]))), // version 3
      integer(randomBytes(16)),
      algorithm,
      this.#subject,
      valid,
      subject,
      spki(publicKey),
      tagged(0xa3, sequence(...all)),
    );
    const signature = sign('sha256', body, this.#keys.privateKey);
    return pem('CERTIFICATE', sequence(body, algorithm, bitString(signature)));
  }
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

const HOUR_MS = 3_600_000;

function newKeys(type: 'ec' | 'rsa'): KeyPair {
  return type === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2_048 });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(spki(key)).digest();
}

function distinguishedName(commonName: string, organization?: string): Buffer {
  const part = (id: string, text: string): Buffer => set(sequence(oid(id), utf8(text)));
  const common = part(OID.commonName, commonName);
  return organization === undefined ? sequence(common) : sequence(part(OID.organization, organization), common);
}

function validity(expired: boolean, days: number): Buffer {
  const now = Date.now();
  const from = expired ? now - 48 * HOUR_MS : now - HOUR_MS;
  const to = expired ? now - 24 * HOUR_MS : now + days * 24 * HOUR_MS;
  return sequence(time(new Date(from)), time(new Date(to)));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return critical ? sequence(oid(id), boolean(true), octetString(value)) : sequence(oid(id), octetString(value));
}

function alternativeNames(names: readonly string[], ips: readonly string[]): Buffer {
  const dns = names.map((name) => tagged(0x82, Buffer.from(name, 'latin1')));
  return sequence(...dns, ...ips.map((ip) => tagged(0x87, addressBytes(ip))));
}

/** An IP address in network order. */
function addressBytes(ip: string): Buffer {
  if (!isIPv6(ip)) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail = ''] = ip.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), words(tail)];
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
