/**
 * The options of a peer that concern TLS, with their defaults and readers. They are part of peer-options.ts.
 *
 * How they are used: tls-connector.ts. Source: Pingora's PeerOptions.
 */
import { isIP } from 'node:net';
import { type OptionReader, readBoolean, readText, shown } from './check-option.ts';
import {
  type ClientCertificate,
  type ClientCertOptions,
  type Pem,
  readClientCert,
  readTrustStore,
  type TrustStore,
} from './pem.ts';

/** A version of TLS. */
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/**
 * The HTTP versions that are offered: HTTP/1.1, HTTP/2, or both with HTTP/2 preferred. Without TLS nothing is
 * negotiated: `h2` means that the upstream is known to speak it, `h2h1` means HTTP/1.1.
 */
export type Alpn = 'h1' | 'h2' | 'h2h1';

/** TLS options of a peer. All but `tls` and `alpn` need `tls: true`; with `tls: false` they are of no effect. */
export interface TlsPeerOptions {
  /** Encrypt. Default false. */
  readonly tls?: boolean;
  /**
   * The name that the upstream's certificate must have, and that is sent as server name (SNI). An IP address is looked
   * for in the certificate and not sent. Default, also for an empty name: the host of the address (Pingora: no name, and
   * then nothing is verified).
   */
  readonly sni?: string;
  /** The certificate must lead to a trusted authority and be valid today, and be of `sni`. Default true. */
  readonly verifyCert?: boolean;
  /** With `verifyCert`: the certificate must be of `sni`. Default true. */
  readonly verifyHostname?: boolean;
  /** Another name that will do, and is not sent. Default: none. */
  readonly alternativeCn?: string;
  /**
   * Trusted authorities, PEM, in the place of the default ones: those of the connector's `caFile`, else of Node (its own
   * list and NODE_EXTRA_CA_CERTS).
   */
  readonly ca?: Pem | readonly Pem[];
  /** Shown when the upstream asks for a certificate (mutual TLS). Default: none. */
  readonly clientCert?: ClientCertOptions;
  /** Default `h1`. */
  readonly alpn?: Alpn;
  /**
   * Names of protocols that are offered in the place of those of `alpn`, for connections that are not HTTP; an empty list offers
   * none. Default: as `alpn` says.
   */
  readonly alpnProtocols?: readonly string[];
  /** Default `TLSv1.2` (Pingora: TLS 1.0). Older ones also need `ciphers: 'DEFAULT@SECLEVEL=0'`. */
  readonly minTlsVersion?: TlsVersion;
  /** Default `TLSv1.3`. */
  readonly maxTlsVersion?: TlsVersion;
  /** An OpenSSL list of ciphers. Default: that of Node. */
  readonly ciphers?: string;
  /** Groups for the key exchange, such as `X25519:P-256`. Default: those of OpenSSL. */
  readonly curves?: string;
  /** Take up the last session of an earlier connection, which saves verifying again. Default true. */
  readonly sessionResumption?: boolean;
}

/** {@link TlsPeerOptions} with every default filled in. */
export interface ResolvedTlsPeerOptions {
  readonly tls: boolean;
  readonly sni: string | undefined;
  readonly verifyCert: boolean;
  readonly verifyHostname: boolean;
  readonly alternativeCn: string | undefined;
  readonly ca: TrustStore | undefined;
  readonly clientCert: ClientCertificate | undefined;
  readonly alpn: Alpn;
  readonly alpnProtocols: readonly string[] | undefined;
  readonly minTlsVersion: TlsVersion;
  readonly maxTlsVersion: TlsVersion;
  readonly ciphers: string | undefined;
  readonly curves: string | undefined;
  readonly sessionResumption: boolean;
}

/** Of peers that say nothing. */
export const DEFAULT_TLS_PEER_OPTIONS: ResolvedTlsPeerOptions = Object.freeze({
  tls: false,
  sni: undefined,
  verifyCert: true,
  verifyHostname: true,
  alternativeCn: undefined,
  ca: undefined,
  clientCert: undefined,
  alpn: 'h1',
  alpnProtocols: undefined,
  minTlsVersion: 'TLSv1.2',
  maxTlsVersion: 'TLSv1.3',
  ciphers: undefined,
  curves: undefined,
  sessionResumption: true,
});

/** Of each option. */
export const TLS_READERS: { readonly [Name in keyof Required<TlsPeerOptions>]: OptionReader<unknown> } = {
  tls: readBoolean,
  sni: (name, value) => (value === '' ? undefined : readServerName(name, value)),
  verifyCert: readBoolean,
  verifyHostname: readBoolean,
  alternativeCn: readServerName,
  ca: readTrustStore,
  clientCert: readClientCert,
  alpn: readOneOf<Alpn>(['h1', 'h2', 'h2h1']),
  alpnProtocols: readProtocols,
  minTlsVersion: readVersion,
  maxTlsVersion: readVersion,
  ciphers: readList,
  curves: readList,
  sessionResumption: readBoolean,
};

const VERSIONS: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** Options that are of no meaning without TLS. */
const NEED_TLS = (Object.keys(DEFAULT_TLS_PEER_OPTIONS) as (keyof TlsPeerOptions)[]).filter(
  (name) => name !== 'tls' && name !== 'alpn',
);

/**
 * Checks what only shows when all are read, and takes the options back that `tls: false` switches off.
 *
 * @param given what the user wrote.
 * @throws TypeError or RangeError naming the option.
 */
export function settleTlsOptions(resolved: Record<string, unknown>, given: TlsPeerOptions): void {
  if (resolved.tls === true) {
    const { minTlsVersion, maxTlsVersion } = resolved as unknown as ResolvedTlsPeerOptions;
    if (VERSIONS.indexOf(minTlsVersion) <= VERSIONS.indexOf(maxTlsVersion)) return;
    throw new RangeError(
      `peer option minTlsVersion is ${minTlsVersion}: expected at most ${maxTlsVersion}, the greatest`,
    );
  }
  for (const name of NEED_TLS) {
    if (given[name] === undefined) continue;
    // Whoever names a certificate authority and forgets this one must not talk in the clear.
    if (given.tls === undefined)
      throw new TypeError(`peer option ${name} is given without tls: expected tls: true as well`);
    resolved[name] = DEFAULT_TLS_PEER_OPTIONS[name];
  }
}

/** Lower case and without the dot at the end, so that equal names are equal text. */
function readServerName(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= 253) {
    if (isIP(value) !== 0) return value;
    if (/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(value)) return value.replace(/\.$/, '').toLowerCase();
  }
  throw new TypeError(`${name} is ${shown(value)}: expected a host name in ASCII, or an IP address without port`);
}

function readVersion(name: string, value: unknown): TlsVersion {
  return readOneOf(VERSIONS)(name, value);
}

function readOneOf<T extends string>(choices: readonly T[]): OptionReader<T> {
  return (name, value) => {
    const choice = choices.find((one) => one === value);
    if (choice !== undefined) return choice;
    throw new TypeError(`${name} is ${shown(value)}: expected one of ${choices.join(', ')}`);
  };
}

function readList(name: string, value: unknown): string {
  const text = readText(name, value);
  if (text !== '') return text;
  throw new TypeError(`${name} is empty: expected names separated by colons`);
}

/** Each is 1 to 255 bytes long (RFC 7301 section 3.1). */
function readProtocols(name: string, value: unknown): readonly string[] {
  const isName = (one: unknown): boolean => typeof one === 'string' && /^[!-~]{1,255}$/.test(one);
  if (Array.isArray(value) && value.every(isName)) return Object.freeze([...value] as string[]);
  throw new TypeError(`${name} is ${shown(value)}: expected a list of protocol names in ASCII`);
}
