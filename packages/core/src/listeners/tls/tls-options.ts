/**
 * What can be said about TLS on a listener, and what is assumed where nothing is said.
 *
 * The defaults are Mozilla's intermediate configuration (version 5.7): TLS 1.2 and 1.3, forward secrecy and AEAD only.
 * It also lists DHE ciphers, which without parameters of one's own do nothing; they are left out.
 */
import type { SslDigest } from '@cirque/transport';
import type { MaybePromise } from '../../app/server-app.ts';
import { checkOptionNames } from '../option-names.ts';
import type { CertificateOptions, MemoryCertificate } from './certificate-source.ts';
import type { ClientCertificateOptions } from './client-certificate.ts';

/** What is said about one host: its certificate, and what it asks of clients. */
export type TlsHostOptions = CertificateOptions & ClientCertificateOptions;

/** Protocol versions that a listener may speak. Older ones are refused (RFC 8996). */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** Options of {@link TlsSettings}. Times are milliseconds. */
export interface TlsSettingsOptions extends ClientCertificateOptions {
  /**
   * The certificate for clients that send no server name, or one that no host has. Without it such clients are refused.
   */
  readonly certificate?: CertificateOptions;
  /** Hosts by server name: `a.example`, or `*.example` for names with exactly one label more. */
  readonly hosts?: Readonly<Record<string, TlsHostOptions>>;
  /**
   * Finds the certificate for a server name (lower case), before {@link hosts} are asked; undefined leaves it to them.
   * The answer is prepared once for each object that is answered: keep it. Runs within the handshake deadline; throwing
   * or rejecting ends the handshake. Not called for clients that send no name. Such hosts have the client certificate
   * options of the settings.
   */
  selectCertificate?(serverName: string): MaybePromise<MemoryCertificate | undefined>;
  /**
   * The last word on a client certificate, after the authorities were checked. False closes the connection, as throwing
   * does. Only called where one was asked for and given. Runs within the handshake deadline.
   */
  verifyClient?(ssl: SslDigest, serverName: string | undefined): MaybePromise<boolean>;
  /**
   * Runs when a handshake is complete. What it answers becomes `digest.ssl.extension`; throwing closes the connection.
   * Runs within the handshake deadline.
   */
  handshakeComplete?(ssl: SslDigest): MaybePromise<unknown>;
  /**
   * Protocols by ALPN, the first one the client also has is taken. Default `['http/1.1']`; see {@link TlsSettings.enableH2}.
   * A client that offers only others is refused (RFC 7301 section 3.2). Empty: ALPN is not answered at all.
   */
  readonly alpn?: readonly string[];
  /** Default `TLSv1.2`. */
  readonly minVersion?: TlsVersion;
  /** Default `TLSv1.3`. */
  readonly maxVersion?: TlsVersion;
  /** Ciphers in OpenSSL's words, both versions in one list. */
  readonly ciphers?: string;
  /** Groups for the key exchange in OpenSSL's words. Default `X25519:prime256v1:secp384r1`. */
  readonly curves?: string;
  /**
   * Whether clients may resume sessions. Default true, and always false where client certificates are asked for: a
   * session does not remember for which host its certificate was accepted.
   */
  readonly sessionTickets?: boolean;
  /** 48 secret bytes that encrypt tickets; the same ones on several machines let them resume each other's. Default: random. */
  readonly ticketKeys?: Buffer;
  /** What machines that share ticket keys must also share. Default `cirque`. */
  readonly sessionIdContext?: string;
  /** From the accept (or the PROXY header) to the end of the handshake with all its callbacks. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** `allow`: connections that do not begin with a TLS handshake are served as plaintext. Default `refuse`. */
  readonly plaintext?: 'refuse' | 'allow';
}

/** {@link TlsSettingsOptions} with every default filled in. */
export type ResolvedTlsOptions = ClientCertificateOptions &
  Pick<TlsSettingsOptions, 'certificate' | 'selectCertificate' | 'verifyClient' | 'handshakeComplete'> &
  Required<Pick<TlsSettingsOptions, 'hosts' | 'alpn' | 'minVersion' | 'maxVersion' | 'ciphers' | 'curves'>> &
  Required<Pick<TlsSettingsOptions, 'sessionTickets' | 'sessionIdContext' | 'handshakeTimeoutMs' | 'plaintext'>>;

const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const VERSIONS: readonly string[] = ['TLSv1.2', 'TLSv1.3'];

/** Bytes of a ticket key: its name, its HMAC key, its AES key. */
export const TICKET_KEY_BYTES = 48;

const NAMES: readonly (keyof TlsSettingsOptions)[] = [
  'certificate',
  'hosts',
  'selectCertificate',
  'verifyClient',
  'handshakeComplete',
  'alpn',
  'minVersion',
  'maxVersion',
  'ciphers',
  'curves',
  'sessionTickets',
  'ticketKeys',
  'sessionIdContext',
  'handshakeTimeoutMs',
  'plaintext',
  'clientCertificate',
  'clientCa',
  'clientCaFile',
];

/**
 * Checks the options that are not about certificates and fills in the defaults.
 *
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function resolveTlsOptions(options: TlsSettingsOptions): ResolvedTlsOptions {
  if (typeof options !== 'object' || options === null) throw new TypeError('TLS settings need an object of options');
  checkOptionNames('TLS settings', options, NAMES);
  const { certificate, hosts = {}, selectCertificate } = options;
  if (certificate === undefined && selectCertificate === undefined && Object.keys(hosts).length === 0) {
    throw new TypeError('TLS settings need a certificate: certificate, hosts or selectCertificate');
  }
  for (const name of ['selectCertificate', 'verifyClient', 'handshakeComplete'] as const)
    checkFunction(name, options[name]);
  const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3', sessionTickets = true, plaintext = 'refuse' } = options;
  checkVersions(minVersion, maxVersion);
  if (typeof sessionTickets !== 'boolean') {
    throw new TypeError(`sessionTickets must be true or false, got ${String(sessionTickets)}`);
  }
  if (plaintext !== 'refuse' && plaintext !== 'allow') {
    throw new TypeError(`plaintext must be 'refuse' or 'allow', got ${JSON.stringify(plaintext)}`);
  }
  const { handshakeTimeoutMs = 10_000, alpn = ['http/1.1'], sessionIdContext = 'cirque' } = options;
  if (!Number.isFinite(handshakeTimeoutMs) || handshakeTimeoutMs <= 0) {
    throw new RangeError(`handshakeTimeoutMs must be a number above 0, got ${String(handshakeTimeoutMs)}`);
  }
  if (typeof sessionIdContext !== 'string' || Buffer.byteLength(sessionIdContext) > 32) {
    throw new TypeError('sessionIdContext must be a text of at most 32 bytes');
  }
  checkAlpn(alpn);
  const { ciphers = CIPHERS, curves = 'X25519:prime256v1:secp384r1' } = options;
  const text = { ciphers, curves, sessionIdContext };
  return { ...options, hosts, minVersion, maxVersion, sessionTickets, plaintext, handshakeTimeoutMs, alpn, ...text };
}

/** @throws TypeError unless these are the bytes of a ticket key. */
export function checkTicketKeys(keys: Buffer): Buffer {
  if (Buffer.isBuffer(keys) && keys.length === TICKET_KEY_BYTES) return keys;
  const got = Buffer.isBuffer(keys) ? `${keys.length} bytes` : typeof keys;
  throw new TypeError(`ticketKeys must be a Buffer of ${TICKET_KEY_BYTES} bytes, got ${got}`);
}

function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`${name} must be a function, got ${typeof value}`);
  }
}

function checkVersions(min: string, max: string): void {
  for (const [name, version] of [['minVersion', min] as const, ['maxVersion', max] as const]) {
    if (!VERSIONS.includes(version)) {
      throw new RangeError(`${name} must be one of ${VERSIONS.join(', ')}, got ${JSON.stringify(version)}`);
    }
  }
  if (min > max) throw new RangeError(`minVersion ${min} is above maxVersion ${max}`);
}

function checkAlpn(protocols: readonly string[]): void {
  const fits = (name: unknown): boolean => typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= 255;
  if (!Array.isArray(protocols) || !protocols.every(fits)) {
    throw new TypeError(`alpn must be a list of names of 1 to 255 bytes, got ${JSON.stringify(protocols)}`);
  }
}
